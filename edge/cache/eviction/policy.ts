// Which slice goes when room is needed. A policy knows slices by slot, a small integer that the index gives
// out and takes back; it holds typed arrays only, and a hit allocates nothing.
export interface EvictionPolicy {
  /** Slots below `slots` may be used from now on. */
  grow(slots: number): void
  /** A slice new to the cache. `tag`: 32 bits of its name, by which it is known again after it was evicted. */
  insert(slot: number, tag: number): void
  /** A slice from before a restart, to be evicted before all that are here. `credit`: what it had then, or 0. */
  restore(slot: number, credit: number): void
  hit(slot: number): void
  /** A slice that left the cache for another reason. */
  remove(slot: number): void
  /** Chooses a slice and forgets it; NO_SLOT when there is none. `tagOf` gives the tag of a slot. */
  evict(tagOf: (slot: number) => number): number
  /** All slices, the last to be evicted first. */
  order(): Generator<number>
  /** What restore() is to be told of this slice, 0 to 127. */
  creditOf(slot: number): number
}

/** Makes a policy; `bytes` holds the size of the slice in each slot. */
export type PolicyMaker = (bytes: Uint32Array, slotsMax: number) => EvictionPolicy
