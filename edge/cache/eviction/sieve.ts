// SIEVE (Zhang et al., NSDI 2024): one queue in order of arrival, a mark on a slice that was used, and a hand
// that goes from the oldest to the newest, takes marks away, and evicts the first slice it finds without one.
import type { EvictionPolicy } from './policy.ts'
import { NO_SLOT, byteColumn, growColumn } from './slot-columns.ts'
import type { Bytes } from './slot-columns.ts'
import { SlotLinks, SlotList } from './slot-list.ts'

export class Sieve implements EvictionPolicy {
  private readonly links: SlotLinks
  private readonly list: SlotList
  private readonly used: Bytes
  private hand = NO_SLOT

  constructor(_bytes: Uint32Array, slotsMax: number) {
    this.links = new SlotLinks(slotsMax)
    this.list = new SlotList(this.links)
    this.used = byteColumn(slotsMax)
  }

  grow(slots: number): void {
    this.links.grow(slots)
    growColumn(this.used, slots)
  }

  insert(slot: number): void {
    this.used[slot] = 0
    this.list.pushNewest(slot)
  }

  restore(slot: number, credit: number): void {
    this.used[slot] = credit
    this.list.pushOldest(slot)
  }

  hit(slot: number): void {
    this.used[slot] = 1
  }

  remove(slot: number): void {
    if (slot === this.hand) this.hand = this.list.newerThan(slot)
    this.list.remove(slot)
  }

  evict(): number {
    let slot = this.hand === NO_SLOT ? this.list.oldest : this.hand
    while (slot !== NO_SLOT && this.used[slot] !== 0) {
      this.used[slot] = 0
      slot = this.list.newerThan(slot)
      if (slot === NO_SLOT) slot = this.list.oldest
    }
    if (slot === NO_SLOT) return NO_SLOT
    this.hand = slot
    this.remove(slot)
    return slot
  }

  order(): Generator<number> {
    return this.list.fromNewest()
  }

  creditOf(slot: number): number {
    return this.used[slot] ?? 0
  }
}
