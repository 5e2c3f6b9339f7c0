// The cache over its tiers: heads are bounded by bytes, and what memory holds is found through either of its maps.
import t from 'tap'
import { METAS_BYTES_MAX } from '../../edge/limits.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { objectMeta, openParts } from '../kit/edge-parts.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const SLICE = 10_000
const parts = (options: object = {}) =>
  openParts(t, { originUrl: 'http://127.0.0.1:1', slice: SLICE, ...options })

t.test('heads kept in memory are bounded by their bytes', async (t) => {
  const { cache } = parts()
  const fields = new FieldBlock(['X', 'x'.repeat(20_000)])
  const count = Math.ceil((2 * METAS_BYTES_MAX) / 20_000)
  for (let i = 0; i < count; i++) cache.setMeta(objectMeta({ key: `p /${i}`, fields }))
  const kept = Array.from({ length: count }, (_, i) => cache.findMeta(`p /${i}`)).filter(Boolean).length
  t.ok(kept > 100 && kept * 40_000 < METAS_BYTES_MAX, `${kept} of ${count}`)
  t.ok(cache.findMeta(`p /${count - 1}`), 'the newest is there')
})

t.test('an object whose head alone was forgotten is found by its first slice in memory', async (t) => {
  const { cache } = parts()
  const meta = objectMeta({ length: 2, sliceBytes: SLICE })
  cache.setMeta(meta)
  cache.store(meta, 0, Buffer.from('ok'))
  cache.dropMeta(meta)
  t.equal(cache.findMeta(meta.key)?.version, meta.version)
  await cache.invalidate(meta.key)
  t.equal(cache.findMeta(meta.key), undefined)
})

const digest = (i: number) => `p /a #${i.toString(16).padStart(40, '0')}`

t.test('as many variants of an object as are kept, and no more; the same one is no other', async (t) => {
  const { cache } = parts()
  const admitted = Array.from({ length: 40 }, (_, i) => cache.admitsVariant('p /a', digest(i))).filter(
    Boolean,
  )
  t.equal(admitted.length, 32)
  t.equal(cache.admitsVariant('p /a', digest(31)), true)
  t.equal(cache.admitsVariant('p /a', digest(32)), false)
  t.equal(cache.admitsVariant('p /b', digest(32)), true)
  t.equal(cache.admitsVariant('p /a', 'p /a'), true, 'an object without variants')
})

t.test('a slice read from disk twice moves to memory, if memory ever takes one so long', async (t) => {
  const { cache } = parts({ memory: 40_000, directory: await tempDirectory(t) })
  for (const [length, second] of [
    [1000, 'memory'],
    [9900, 'disk'],
  ] as const) {
    const meta = objectMeta({ key: `p /${length}`, length, sliceBytes: SLICE, lifetimeMs: 3_600_000 })
    cache.store(meta, 0, Buffer.alloc(length, 'x'))
    await until('it is on disk', () => cache.disk.waiting(meta.key, 0) === undefined)
    const from: string[] = []
    for (let read = 0; read < 2; read++) {
      const slice = await cache.openSlice(meta, 0)
      if (Buffer.isBuffer(slice)) from.push('memory')
      else {
        from.push(slice === undefined ? 'nowhere' : 'disk')
        slice?.close()
      }
    }
    t.strictSame(from, ['disk', second], `${length} bytes`)
  }
})
