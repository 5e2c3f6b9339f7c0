// Every eviction policy under the index, against a naive model: any order of calls keeps index and model equal.
import fc from 'fast-check'
import t from 'tap'
import { SliceIndex, VERIFIED, chosenPolicy } from '../../edge/cache/disk/disk-index.ts'
import type { SliceId } from '../../edge/cache/disk/disk-name.ts'
import { Lru } from '../../edge/cache/eviction/lru.ts'
import type { PolicyMaker } from '../../edge/cache/eviction/policy.ts'
import { S3Fifo } from '../../edge/cache/eviction/s3-fifo.ts'
import { Sieve } from '../../edge/cache/eviction/sieve.ts'

const POLICIES: Record<string, PolicyMaker> = {
  lru: (bytes, slots) => new Lru(bytes, slots),
  sieve: (bytes, slots) => new Sieve(bytes, slots),
  's3-fifo': (bytes, slots) => new S3Fifo(bytes, slots, { usesToStay: 2, sized: false }),
  chosen: chosenPolicy,
}

const NAMES = 40
/** Some share a bucket of the table: the first word is all that a bucket is chosen by. */
const idOf = (n: number): SliceId => ({ a: (n % 8) << 12, b: n, c: n * 7 })

const spreadId = (n: number): SliceId => ({ a: Math.imul(n, 0x9e3779b1) >>> 0, b: n, c: 0 })

type Step =
  | { do: 'add'; n: number; bytes: number }
  | { do: 'hit' | 'remove'; n: number }
  | { do: 'evict' }
  | { do: 'restore'; n: number; bytes: number; state: number }

const name = fc.nat({ max: NAMES - 1 })
const bytes = fc.oneof(fc.constant(2 ** 21), fc.integer({ min: 0, max: 5000 }))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), n: name, bytes }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hit' as const), n: name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), n: name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restore' as const),
      n: name,
      bytes,
      state: fc.constantFrom(0, 1, 128, 129),
    }),
  },
)

function apply(index: SliceIndex, model: Map<number, number>, one: Step): void {
  if (one.do === 'add') {
    index.add(idOf(one.n), one.bytes)
    model.set(one.n, one.bytes)
  } else if (one.do === 'hit') index.hit(idOf(one.n))
  else if (one.do === 'remove') same(index.remove(idOf(one.n)), model.delete(one.n), 'removed')
  else if (one.do === 'restore') {
    if (model.has(one.n)) return
    index.restore({ id: idOf(one.n), bytes: one.bytes, state: one.state })
    model.set(one.n, one.bytes)
    same(index.verificationOf(idOf(one.n)), one.state >= VERIFIED ? 'before' : 'no', 'verified')
  } else {
    const victim = index.evict()
    same(victim === undefined, model.size === 0, 'nothing to evict')
    if (victim !== undefined) same(model.delete(victim.b), true, 'evicted what was there')
  }
}

function same(found: unknown, wanted: unknown, what: string): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, not ${String(wanted)}`)
}

function compare(index: SliceIndex, model: ReadonlyMap<number, number>): void {
  same(index.count, model.size, 'count')
  same(
    index.bytes,
    [...model.values()].reduce((sum, size) => sum + size, 0),
    'bytes',
  )
  for (let n = 0; n < NAMES; n++) same(index.has(idOf(n)), model.has(n), `has ${n}`)
  const listed = [...index.slices()]
  same(listed.length, model.size, 'listed')
  for (const slice of listed) same(slice.bytes, model.get(slice.id.b), `bytes of ${slice.id.b}`)
}

for (const [policy, make] of Object.entries(POLICIES)) {
  t.test(`${policy}: no slice is lost, doubled or miscounted`, async (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const index = new SliceIndex(1000, make)
        const model = new Map<number, number>()
        for (const one of steps) apply(index, model, one)
        compare(index, model)
        // All of it can be evicted, each slice once.
        const victims = new Set<number>()
        for (let victim = index.evict(); victim !== undefined; victim = index.evict()) victims.add(victim.b)
        same(victims.size, model.size, 'evicted in the end')
        same(index.bytes, 0, 'bytes in the end')
      }),
      { numRuns: 300 },
    )
    t.pass('equal to the model')
  })

  t.test(`${policy}: a restored index evicts what the first one would have`, async (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const index = new SliceIndex(1000, make)
        const model = new Map<number, number>()
        for (const one of steps) apply(index, model, one)
        const listed = [...index.slices()]
        const again = new SliceIndex(1000, make)
        for (const slice of listed) again.restore(slice)
        same(JSON.stringify([...again.slices()]), JSON.stringify(listed), 'order and states')
      }),
      { numRuns: 200 },
    )
    t.pass('the same order')
  })
}

t.test('many thousands: the table grows and shrinks with its content', async (t) => {
  const index = new SliceIndex(200_000)
  for (let n = 0; n < 100_000; n++) index.add(spreadId(n), 1)
  let missing = 0
  for (let n = 0; n < 100_000; n++) if (!index.has(spreadId(n))) missing++
  t.equal(missing, 0)
  for (let n = 0; n < 100_000; n += 2) index.remove(spreadId(n))
  for (let n = 0; n < 100_000; n++) if (index.has(spreadId(n)) !== (n % 2 === 1)) missing++
  t.equal(missing, 0)
  t.equal(index.count, 50_000)
  while (!index.full) index.add(spreadId(200_000 + index.count), 1)
  t.ok(index.count >= 200_000, `full at ${index.count}`)
})
