// Slice ids to slots, small integers that are given out and taken back: 20 bytes a slot, in typed arrays.
// A hash table by linear hashing (Litwin, 1980): every slot added splits one bucket in two, so the table grows
// in place with its content and no call ever moves more than one chain; an open-addressing table would have
// to be rebuilt at each doubling, a pause of a tenth of a second at a million slices.
import type { SliceId } from './disk-name.ts'
import { NO_SLOT, growColumn, wordColumn } from '../eviction/slot-columns.ts'
import type { Words } from '../eviction/slot-columns.ts'

/** Slots added at a time; a power of two. */
const SLOTS_STEP = 2 ** 14
/** Buckets to begin with; a power of two. */
const BUCKETS_FIRST = 2 ** 10

export class IdTable {
  /** Slots that have been made so far, used or free. */
  slots = 0
  count = 0
  readonly slotsMax: number
  private readonly a: Words
  private readonly b: Words
  private readonly c: Words
  /** The next slot of the same bucket, or of the free ones. */
  private readonly chain: Words
  private readonly buckets: Words
  private bucketCount = BUCKETS_FIRST
  /** The largest power of two that is at most bucketCount. */
  private level = BUCKETS_FIRST
  private free = NO_SLOT

  constructor(slotsMax: number) {
    this.slotsMax = Math.ceil(slotsMax / SLOTS_STEP) * SLOTS_STEP
    this.a = wordColumn(this.slotsMax)
    this.b = wordColumn(this.slotsMax)
    this.c = wordColumn(this.slotsMax)
    this.chain = wordColumn(this.slotsMax)
    this.buckets = wordColumn(this.slotsMax + SLOTS_STEP)
    this.growBuckets()
  }

  get full(): boolean {
    return this.free === NO_SLOT && this.slots === this.slotsMax
  }

  find(id: SliceId): number {
    let slot = this.buckets[this.bucketOf(id.a)] ?? NO_SLOT
    while (slot !== NO_SLOT) {
      if (this.a[slot] === id.a && this.b[slot] === id.b && this.c[slot] === id.c) return slot
      slot = this.chain[slot] ?? NO_SLOT
    }
    return NO_SLOT
  }

  /** For an id that is not here, while not full. */
  add(id: SliceId): number {
    if (this.free === NO_SLOT) this.growSlots()
    const slot = this.free
    this.free = this.chain[slot] ?? NO_SLOT
    this.a[slot] = id.a
    this.b[slot] = id.b
    this.c[slot] = id.c
    const bucket = this.bucketOf(id.a)
    this.chain[slot] = this.buckets[bucket] ?? NO_SLOT
    this.buckets[bucket] = slot
    this.count++
    if (this.count > this.bucketCount) this.split()
    return slot
  }

  remove(slot: number): void {
    const bucket = this.bucketOf(this.a[slot] ?? 0)
    const next = this.chain[slot] ?? NO_SLOT
    let before = this.buckets[bucket] ?? NO_SLOT
    if (before === slot) this.buckets[bucket] = next
    else {
      while (this.chain[before] !== slot) before = this.chain[before] ?? NO_SLOT
      this.chain[before] = next
    }
    this.chain[slot] = this.free
    this.free = slot
    this.count--
  }

  idOf(slot: number): SliceId {
    return { a: this.a[slot] ?? 0, b: this.b[slot] ?? 0, c: this.c[slot] ?? 0 }
  }

  /** 32 bits of the id that the bucket was not chosen by. */
  tagOf(slot: number): number {
    return this.b[slot] ?? 0
  }

  private bucketOf(word: number): number {
    const bucket = word & (2 * this.level - 1)
    return bucket < this.bucketCount ? bucket : word & (this.level - 1)
  }

  /** Makes one bucket more, and shares out the chain of the one that stood for both. */
  private split(): void {
    const from = this.bucketCount - this.level
    const to = this.bucketCount
    if (to === this.buckets.length) this.growBuckets()
    let slot = this.buckets[from] ?? NO_SLOT
    this.buckets[from] = NO_SLOT
    this.bucketCount++
    if (this.bucketCount === 2 * this.level) this.level *= 2
    while (slot !== NO_SLOT) {
      const next = this.chain[slot] ?? NO_SLOT
      const bucket = this.bucketOf(this.a[slot] ?? 0)
      this.chain[slot] = this.buckets[bucket] ?? NO_SLOT
      this.buckets[bucket] = slot
      slot = next
    }
  }

  private growBuckets(): void {
    const before = this.buckets.length
    growColumn(this.buckets, before + SLOTS_STEP)
    this.buckets.fill(NO_SLOT, before)
  }

  private growSlots(): void {
    const before = this.slots
    this.slots += SLOTS_STEP
    for (const column of [this.a, this.b, this.c, this.chain]) growColumn(column, this.slots)
    for (let slot = before; slot < this.slots; slot++) this.chain[slot] = slot + 1
    this.chain[this.slots - 1] = NO_SLOT
    this.free = before
  }
}
