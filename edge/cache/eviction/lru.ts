// Least recently used first out: the baseline that the others are measured against.
import type { EvictionPolicy } from './policy.ts'
import { NO_SLOT } from './slot-columns.ts'
import { SlotLinks, SlotList } from './slot-list.ts'

export class Lru implements EvictionPolicy {
  private readonly links: SlotLinks
  private readonly list: SlotList

  constructor(_bytes: Uint32Array, slotsMax: number) {
    this.links = new SlotLinks(slotsMax)
    this.list = new SlotList(this.links)
  }

  grow(slots: number): void {
    this.links.grow(slots)
  }

  insert(slot: number): void {
    this.list.pushNewest(slot)
  }

  restore(slot: number): void {
    this.list.pushOldest(slot)
  }

  hit(slot: number): void {
    if (slot === this.list.newest) return
    this.list.remove(slot)
    this.list.pushNewest(slot)
  }

  remove(slot: number): void {
    this.list.remove(slot)
  }

  evict(): number {
    const slot = this.list.oldest
    if (slot !== NO_SLOT) this.list.remove(slot)
    return slot
  }

  order(): Generator<number> {
    return this.list.fromNewest()
  }

  creditOf(): number {
    return 0
  }
}
