// A queue of slots, newest to oldest, linked through two columns that several queues share: a slot is in one
// of them at most.
import { NO_SLOT, growColumn, wordColumn } from './slot-columns.ts'
import type { Words } from './slot-columns.ts'

export class SlotLinks {
  readonly newer: Words
  readonly older: Words

  constructor(slotsMax: number) {
    this.newer = wordColumn(slotsMax)
    this.older = wordColumn(slotsMax)
  }

  grow(slots: number): void {
    growColumn(this.newer, slots)
    growColumn(this.older, slots)
  }
}

export class SlotList {
  newest = NO_SLOT
  oldest = NO_SLOT
  count = 0
  private readonly newer: Words
  private readonly older: Words

  constructor(links: SlotLinks) {
    this.newer = links.newer
    this.older = links.older
  }

  pushNewest(slot: number): void {
    this.newer[slot] = NO_SLOT
    this.older[slot] = this.newest
    if (this.newest === NO_SLOT) this.oldest = slot
    else this.newer[this.newest] = slot
    this.newest = slot
    this.count++
  }

  pushOldest(slot: number): void {
    this.older[slot] = NO_SLOT
    this.newer[slot] = this.oldest
    if (this.oldest === NO_SLOT) this.newest = slot
    else this.older[this.oldest] = slot
    this.oldest = slot
    this.count++
  }

  remove(slot: number): void {
    const newer = this.newerThan(slot)
    const older = this.older[slot] ?? NO_SLOT
    if (newer === NO_SLOT) this.newest = older
    else this.older[newer] = older
    if (older === NO_SLOT) this.oldest = newer
    else this.newer[older] = newer
    this.count--
  }

  newerThan(slot: number): number {
    return this.newer[slot] ?? NO_SLOT
  }

  *fromNewest(): Generator<number> {
    for (let slot = this.newest; slot !== NO_SLOT; slot = this.older[slot] ?? NO_SLOT) yield slot
  }
}
