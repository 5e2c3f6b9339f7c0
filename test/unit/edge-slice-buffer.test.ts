// One slice while it arrives: what fits is taken, readers see it as it comes and are woken at every change.
import t from 'tap'
import { SliceBuffer } from '../../edge/fill/slice-buffer.ts'
import { EdgewardError } from '../../src/errors.ts'
import { bytesOf } from '../kit/bytes.ts'

const BODY = bytesOf(1, 300_000)

for (const known of [true, false]) {
  t.test(`bytes in pieces, length ${known ? 'known' : 'unknown'}`, async (t) => {
    const slice = new SliceBuffer(3, 300_000, known)
    let at = 0
    for (const size of [1, 65_535, 1, 100_000, 200_000]) {
      const taken = slice.append(BODY.subarray(at, at + size))
      t.equal(taken, Math.min(size, 300_000 - at))
      at += taken
      t.ok(slice.view(0, Infinity).equals(BODY.subarray(0, at)))
    }
    t.equal(slice.room, 0)
    t.equal(slice.append(BODY), 0, 'nothing more fits')
    slice.complete()
    t.ok(slice.body().equals(BODY))
    t.ok(slice.view(10, 20).equals(BODY.subarray(10, 20)))
  })
}

t.test('what a reader holds stays when the buffer grows', async (t) => {
  const slice = new SliceBuffer(0, 300_000, false)
  slice.append(BODY.subarray(0, 60_000))
  const held = slice.view(0, 60_000)
  slice.append(BODY.subarray(60_000))
  t.ok(held.equals(BODY.subarray(0, 60_000)))
})

t.test('a body of unknown length does not keep the slack of its growth', async (t) => {
  const slice = new SliceBuffer(0, 2 ** 21, false)
  slice.append(BODY.subarray(0, 70_000))
  slice.complete()
  t.equal(slice.body().buffer.byteLength, 70_000)
})

t.test('every change wakes every reader once', async (t) => {
  const slice = new SliceBuffer(0, 10, true)
  const woken: string[] = []
  const follow = (name: string) => slice.changed().then(() => woken.push(name))
  const first = [follow('a'), follow('b')]
  slice.append(Buffer.from('x'))
  await Promise.all(first)
  t.strictSame(woken, ['a', 'b'])
  const second = follow('c')
  slice.fail(new EdgewardError('origin_truncated', 'origin', 'cut'))
  await second
  t.equal(slice.state, 'failed')
  t.equal(slice.error?.message, 'cut')
})

t.test('a complete slice cannot fail any more', async (t) => {
  const slice = new SliceBuffer(0, 0, true)
  slice.complete()
  slice.fail(new EdgewardError('origin_truncated', 'origin', 'cut'))
  t.equal(slice.state, 'complete')
  t.equal(slice.error, null)
})
