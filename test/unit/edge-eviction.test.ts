// What each policy is for, on the smallest case that shows it.
import t from 'tap'
import { Ghosts } from '../../edge/cache/eviction/ghosts.ts'
import { Lru } from '../../edge/cache/eviction/lru.ts'
import type { EvictionPolicy, PolicyMaker } from '../../edge/cache/eviction/policy.ts'
import { S3Fifo } from '../../edge/cache/eviction/s3-fifo.ts'
import { Sieve } from '../../edge/cache/eviction/sieve.ts'
import { NO_SLOT } from '../../edge/cache/eviction/slot-columns.ts'

const SLOTS = 64
const tagOf = (slot: number) => slot

function policyOf(make: PolicyMaker, sizeOf: (slot: number) => number = () => 1000): EvictionPolicy {
  const policy = make(
    Uint32Array.from({ length: SLOTS }, (_, slot) => sizeOf(slot)),
    SLOTS,
  )
  policy.grow(SLOTS)
  return policy
}

function insert(policy: EvictionPolicy, ...slots: number[]): void {
  for (const slot of slots) policy.insert(slot, tagOf(slot))
}

function evict(policy: EvictionPolicy, count: number): number[] {
  return Array.from({ length: count }, () => policy.evict(tagOf))
}

const s3Fifo: PolicyMaker = (bytes, slots) => new S3Fifo(bytes, slots, { usesToStay: 1, sized: false })
const sized: PolicyMaker = (bytes, slots) => new S3Fifo(bytes, slots, { usesToStay: 1, sized: true })

/** How many of 20 popular slices a crawl of 40 pushes out of room for 20. */
function lostToCrawl(make: PolicyMaker): number {
  const policy = policyOf(make)
  const popular = Array.from({ length: 20 }, (_, slot) => slot)
  insert(policy, ...popular)
  for (const slot of popular) policy.hit(slot)
  const gone: number[] = []
  for (let slot = 20; slot < 60; slot++) {
    insert(policy, slot)
    gone.push(policy.evict(tagOf))
  }
  return gone.filter((slot) => slot < 20).length
}

t.test('LRU: least recently used first', async (t) => {
  const policy = policyOf((bytes, slots) => new Lru(bytes, slots))
  insert(policy, 1, 2, 3)
  policy.hit(1)
  t.strictSame(evict(policy, 4), [2, 3, 1, NO_SLOT])
})

t.test('SIEVE: a used slice is passed over once, where it stands', async (t) => {
  const policy = policyOf((bytes, slots) => new Sieve(bytes, slots))
  insert(policy, 1, 2, 3, 4)
  policy.hit(1)
  policy.hit(3)
  t.strictSame(evict(policy, 1), [2])
  insert(policy, 5)
  // The hand stands after 2: 3 loses its mark, 4 goes, and so on round to 1.
  t.strictSame(evict(policy, 5), [4, 5, 1, 3, NO_SLOT])
})

t.test('SIEVE: the hand survives the removal of the slice it stands at', async (t) => {
  const policy = policyOf((bytes, slots) => new Sieve(bytes, slots))
  insert(policy, 1, 2, 3, 4)
  t.strictSame(evict(policy, 1), [1])
  policy.remove(2)
  t.strictSame(evict(policy, 3), [3, 4, NO_SLOT])
})

t.test('S3-FIFO: a crawl takes a tenth of the room, where LRU gives it all', async (t) => {
  t.equal(lostToCrawl(s3Fifo), 2)
  t.equal(
    lostToCrawl((bytes, slots) => new Lru(bytes, slots)),
    20,
  )
})

t.test('S3-FIFO: what comes again soon after it went is kept from then on', async (t) => {
  const policy = policyOf(s3Fifo)
  const main = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
  insert(policy, ...main)
  for (const slot of main) policy.hit(slot)
  insert(policy, 10, 11)
  t.strictSame(evict(policy, 1), [10])
  insert(policy, 10)
  t.equal(policy.creditOf(10), 0, 'in the main queue')
  insert(policy, 12, 13)
  t.strictSame(evict(policy, 2), [11, 12], 'those of the small queue go first')
})

t.test('sized S3-FIFO: a playlist outlasts slices of video that nobody used either', async (t) => {
  const policy = policyOf(sized, (slot) => (slot === 5 ? 2000 : 2 ** 21))
  insert(policy, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
  t.strictSame(evict(policy, 9), [0, 1, 2, 3, 4, 6, 7, 8, 9])
  t.equal(policy.evict(tagOf), 5)
})

t.test('ghosts are known for as long as they are asked for, and once', async (t) => {
  const ghosts = new Ghosts()
  for (let tag = 1; tag <= 100; tag++) ghosts.add(tag)
  t.equal(ghosts.take(100, 10), true)
  t.equal(ghosts.take(100, 10), false, 'once')
  t.equal(ghosts.take(50, 10), false, 'too long ago')
  t.equal(ghosts.take(4711, 1000), false, 'never there')
})
