// One upstream answer cut into slices, driven by hand: who may hold it back, when it ends, what it leaves.
import { mock } from 'node:test'
import t from 'tap'
import { PULL_IDLE_MS } from '../../edge/limits.ts'
import { EdgewardError } from '../../src/errors.ts'
import { BODY, Rig, SLICE } from '../kit/pull-rig.ts'

t.test('free: what is short runs to its end with nobody there', async (t) => {
  for (const length of [0, 1, 99, 100, 101, 399, 400]) {
    for (const chunk of [1, 30, 100, 1000]) {
      const rig = new Rig({ length })
      rig.feed(0, length, chunk)
      rig.pull.onEnd()
      t.strictSame(rig.events, ['ended'], `${length} in ${chunk}s`)
      t.ok(Buffer.concat([...rig.stored.values()]).equals(BODY.subarray(0, length)))
      t.equal(rig.stored.size, Math.max(1, Math.ceil(length / SLICE)))
      t.equal(rig.paused, false)
    }
  }
})

t.test('free, length unknown: known at the end, also exactly at a multiple of the slice', async (t) => {
  for (const length of [0, 1, 99, 100, 101, 200, 300, 399]) {
    for (const chunk of [1, 100, 1000]) {
      const rig = new Rig({ length: null })
      rig.feed(0, length, chunk)
      rig.pull.onEnd()
      t.strictSame(rig.events, ['ended'], `${length} in ${chunk}s`)
      t.equal(rig.pull.meta.length, length)
      const held = rig.pull.heldSlices().map((slice) => slice.body())
      t.ok(Buffer.concat(held).equals(BODY.subarray(0, length)))
    }
  }
})

t.test('length unknown and too long to keep, its reader gone: the upstream is let go', async (t) => {
  for (const chunk of [1, 30, 100, 1000]) {
    const rig = new Rig({ length: null })
    rig.pull.leave(rig.pull.attach(0))
    rig.feed(0, 1000, chunk)
    t.equal(rig.aborted, true, `in ${chunk}s`)
    t.strictSame(rig.events, ['unstorable', 'abandoned'])
    rig.pull.onEnd()
    t.equal(rig.pull.meta.length, null, 'an end that nobody saw is none')
  }
})

t.test('length unknown and too long to keep, here before its first reader: it waits', async (t) => {
  const rig = new Rig({ length: null })
  rig.pull.onData(BODY)
  rig.pull.onEnd()
  t.equal(rig.aborted, false)
  const reader = rig.pull.attach(0)
  for (let index = 0; index < 10; index++) {
    t.ok(
      rig.pull
        .slice(reader, index)
        ?.body()
        .equals(BODY.subarray(index * SLICE, (index + 1) * SLICE)),
    )
  }
  t.equal(rig.pull.meta.length, 1000)
  const early = new Rig({ length: null })
  early.pull.onData(BODY)
  early.pull.leave(early.pull.attach(0))
  t.equal(early.aborted, true, 'a reader that comes and wants nothing')
})

t.test('length unknown and too long to keep: the slowest reader sets the pace', async (t) => {
  const rig = new Rig({ length: null })
  const fast = rig.pull.attach(0)
  const slow = rig.pull.attach(0)
  let at = rig.feed(0, 1000)
  t.equal(rig.paused, true)
  t.strictSame(rig.events, ['unstorable'])
  const reached = at
  for (let index = 0; index <= 4; index++) rig.pull.slice(fast, index)
  at = rig.feed(at, 1000)
  t.equal(at, reached, 'the slow one has not asked yet')
  rig.pull.leave(slow)
  t.equal(rig.paused, false)
  for (let index = 4; index < 10; index++) {
    t.ok(rig.pull.slice(fast, index)?.index === index)
    at = rig.feed(at, 1000)
  }
  rig.pull.onEnd()
  t.equal(rig.pull.meta.length, 1000)
  t.strictSame(rig.events, ['unstorable', 'ended'])
})

t.test('between two slices the next is in flight already', async (t) => {
  const rig = new Rig({ length: 250 })
  rig.feed(0, SLICE)
  t.equal(rig.started.at(-1), 1)
  const demanding = new Rig({ length: 1000 })
  demanding.pull.slice(demanding.pull.attach(0), 2)
  demanding.feed(0, SLICE)
  t.equal(demanding.started.at(-1), 1)
  const asked = new Rig({ length: 1000 })
  const reader = asked.pull.attach(0)
  asked.feed(0, SLICE)
  t.equal(asked.started.at(-1), 0)
  t.equal(asked.pull.slice(reader, 1)?.index, 1)
})

t.test('on demand: a slice further when a reader wants one', async (t) => {
  const rig = new Rig({ length: 1000 })
  const reader = rig.pull.attach(0)
  let at = rig.feed(0, 1000)
  t.ok(at > SLICE && at <= SLICE + 30, 'stops at the boundary')
  t.equal(rig.stored.size, 1)
  for (let index = 1; index < 10; index++) {
    t.equal(rig.pull.slice(reader, index)?.index, index)
    at = rig.feed(at, 1000)
  }
  rig.pull.onEnd()
  t.strictSame(rig.events, ['ended'])
  t.ok(Buffer.concat([...rig.stored.values()]).equals(BODY))
})

t.test('on demand: the fastest reader sets the pace, and nothing is held for the slow', async (t) => {
  const rig = new Rig({ length: 1000 })
  const slow = rig.pull.attach(0)
  const fast = rig.pull.attach(0)
  rig.pull.slice(slow, 0)
  let at = rig.feed(0, 1000)
  for (let index = 1; index < 10; index++) {
    rig.pull.slice(fast, index)
    at = rig.feed(at, 1000)
    t.ok(rig.pull.heldSlices().length <= 2, `${rig.pull.heldSlices().length} slices in hand`)
  }
  t.equal(rig.stored.size, 10, 'they are in the cache')
})

t.test('on demand: one chunk over many boundaries waits at each', async (t) => {
  const rig = new Rig({ length: 1000 })
  const reader = rig.pull.attach(0)
  rig.pull.onData(BODY)
  rig.pull.onEnd()
  t.strictSame(rig.events, [])
  for (let index = 1; index < 10; index++) {
    t.equal(rig.stored.size, index)
    t.ok(
      rig.pull
        .slice(reader, index)
        ?.body()
        .equals(BODY.subarray(index * SLICE, (index + 1) * SLICE)),
    )
  }
  t.strictSame(rig.events, ['ended'])
})

t.test(
  'on demand: left at a boundary it ends at once, within a slice at the boundary after a while',
  async (t) => {
    const atBoundary = new Rig({ length: 1000 })
    const reader = atBoundary.pull.attach(0)
    atBoundary.feed(0, 1000)
    atBoundary.pull.leave(reader)
    t.strictSame([atBoundary.events, atBoundary.aborted], [['abandoned'], true])

    mock.timers.enable({ apis: ['setTimeout'] })
    for (const ranges of [true, false]) {
      // Chunks that end on the boundary, and chunks that cross it.
      for (const chunk of [50, 30]) {
        const rig = new Rig({ length: 1000, ranges })
        const only = rig.pull.attach(0)
        rig.feed(0, 50, chunk)
        rig.pull.leave(only)
        t.equal(rig.aborted, false)
        rig.feed(50, 1000, chunk)
        t.equal(rig.stored.size, 1, 'the slice under way is kept')
        t.equal(rig.aborted, false)
        mock.timers.tick(PULL_IDLE_MS + 1)
        t.equal(rig.aborted, true, `ranges ${ranges}, chunks of ${chunk}: no upstream is held for nobody`)
        t.strictSame(rig.events, ['abandoned'])
      }
    }
    mock.timers.reset()
  },
)

t.test('on demand: a reader that comes in time finds it running, and is not cut later', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const rig = new Rig({ length: 1000 })
  const first = rig.pull.attach(0)
  let at = rig.feed(0, 50)
  rig.pull.leave(first)
  at = rig.feed(at, 1000)
  mock.timers.tick(PULL_IDLE_MS - 1)
  const second = rig.pull.attach(1)
  t.equal(rig.pull.slice(second, 1)?.index, 1)
  mock.timers.tick(2 * PULL_IDLE_MS)
  t.equal(rig.aborted, false)
  rig.feed(at, 1000)
  t.equal(rig.stored.size, 2)
  mock.timers.reset()
})

t.test('on demand: who waits too long is not waited for, unless there is no asking again', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  for (const ranges of [true, false]) {
    const rig = new Rig({ length: 1000, ranges })
    rig.pull.attach(0)
    rig.feed(0, 1000)
    mock.timers.tick(PULL_IDLE_MS + 1)
    t.equal(rig.aborted, ranges)
  }
  mock.timers.reset()
})

t.test('lockstep: a piece at a time, for its one reader; without it, nothing', async (t) => {
  const rig = new Rig({ length: 1000, storable: false })
  const reader = rig.pull.attach(0)
  let at = rig.feed(0, 1000)
  t.equal(rig.paused, true)
  for (let index = 1; index < 5; index++) {
    rig.pull.slice(reader, index)
    at = rig.feed(at, 1000)
    t.ok(rig.pull.heldSlices().length <= 2)
  }
  rig.pull.leave(reader)
  t.equal(rig.aborted, true)
  t.equal(rig.stored.size, 0)
})

t.test('lockstep: a reader that wants a later piece passes over those before', async (t) => {
  const rig = new Rig({ length: 1000, storable: false })
  const reader = rig.pull.attach(7)
  rig.pull.slice(reader, 7)
  const at = rig.feed(0, 1000)
  t.ok(at >= 800 && at < 900)
  t.ok(rig.pull.slice(reader, 7)?.body().equals(BODY.subarray(700, 800)))
})

t.test('fewer bytes than announced: failed, and no reader takes it for the end', async (t) => {
  for (const cut of [0, 50, 100, 399]) {
    const rig = new Rig({ length: 400 })
    rig.feed(0, cut)
    rig.pull.onEnd()
    t.strictSame(rig.events, ['failed: origin_truncated'], `after ${cut}`)
    t.equal(rig.pull.reaches(3) && rig.pull.heldSlices().every(({ state }) => state === 'complete'), false)
  }
})

t.test('more bytes than announced: failed and let go', async (t) => {
  const rig = new Rig({ length: 250 })
  rig.pull.onData(BODY.subarray(0, 251))
  t.strictSame(rig.events, ['failed: origin_protocol'])
  t.equal(rig.aborted, true)
  rig.pull.onData(BODY)
  rig.pull.onEnd()
  t.equal(rig.events.length, 1, 'and heard of no more')
})

t.test('a part: from its slice to its end', async (t) => {
  const rig = new Rig({ length: 1000, first: 3, end: 400 })
  t.equal(rig.pull.reaches(2), false)
  t.equal(rig.pull.reaches(3), true)
  t.equal(rig.pull.reaches(4), false)
  rig.feed(300, 400)
  rig.pull.onEnd()
  t.strictSame(rig.events, ['ended'])
  t.ok(rig.stored.get(3)?.equals(BODY.subarray(300, 400)))
})

t.test('an error reaches every reader: those of the slice, and those who wait for the next', async (t) => {
  const rig = new Rig({ length: 1000 })
  const reader = rig.pull.attach(0)
  const slice = rig.pull.slice(reader, 0)
  rig.feed(0, 50)
  rig.pull.onError(new EdgewardError('origin_truncated', 'origin', 'lost'))
  t.equal(slice?.state, 'failed')
  t.equal(slice?.error?.message, 'lost')

  const waiting = new Rig({ length: null })
  const next = waiting.pull.changed()
  waiting.pull.onError(new EdgewardError('origin_truncated', 'origin', 'lost'))
  await next
  t.equal(waiting.pull.meta.length, null)
  t.strictSame(waiting.events, ['failed: origin_truncated'])
})

t.test(
  'on demand: a reader of a slice far ahead, which is asked for by itself, makes it pull nothing',
  async (t) => {
    const rig = new Rig({ length: 1000 })
    rig.pull.attach(9)
    rig.feed(0, 1000)
    t.equal(rig.stored.size, 1)
    const noRanges = new Rig({ length: 1000, ranges: false })
    noRanges.pull.attach(9)
    noRanges.feed(0, 1000)
    t.equal(noRanges.stored.size, 10, 'without ranges there is no other way to it')
  },
)
