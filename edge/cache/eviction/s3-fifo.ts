// S3-FIFO (Yang et al., SOSP 2023): what is new waits in a small queue; what was used there moves to the main
// queue, the rest goes soon and is remembered by name, to go to the main queue at once should it come again.
import { Ghosts } from './ghosts.ts'
import type { EvictionPolicy } from './policy.ts'
import { NO_SLOT, byteColumn, growColumn } from './slot-columns.ts'
import type { Bytes } from './slot-columns.ts'
import { SlotLinks, SlotList } from './slot-list.ts'

/** The small queue's share of all bytes. */
const SMALL_SHARE = 0.1
const USES_MAX = 3
/** Mark of the small queue, beside the uses. */
const IN_SMALL = 64

export interface S3FifoSettings {
  /** So many uses in the small queue earn a place in the main one. */
  readonly usesToStay: number
  /** Slices much smaller than the mean go to the main queue at once, with lives. */
  readonly sized: boolean
}

export class S3Fifo implements EvictionPolicy {
  private readonly bytes: Uint32Array
  private readonly links: SlotLinks
  private readonly small: SlotList
  private readonly main: SlotList
  private readonly state: Bytes
  private readonly ghosts = new Ghosts()
  private readonly usesToStay: number
  private readonly sized: boolean
  private smallBytes = 0
  private mainBytes = 0

  constructor(bytes: Uint32Array, slotsMax: number, settings: S3FifoSettings) {
    this.bytes = bytes
    this.usesToStay = settings.usesToStay
    this.sized = settings.sized
    this.links = new SlotLinks(slotsMax)
    this.small = new SlotList(this.links)
    this.main = new SlotList(this.links)
    this.state = byteColumn(slotsMax)
  }

  grow(slots: number): void {
    this.links.grow(slots)
    growColumn(this.state, slots)
    this.ghosts.grow(slots)
  }

  insert(slot: number, tag: number): void {
    const lives = this.livesForSize(slot)
    if (this.ghosts.take(tag, this.main.count) || lives > 0) this.toMain(slot, lives)
    else {
      this.state[slot] = IN_SMALL
      this.small.pushNewest(slot)
      this.smallBytes += this.sizeOf(slot)
    }
  }

  restore(slot: number, credit: number): void {
    this.state[slot] = credit
    if (this.isInSmall(slot)) {
      this.small.pushOldest(slot)
      this.smallBytes += this.sizeOf(slot)
    } else {
      this.main.pushOldest(slot)
      this.mainBytes += this.sizeOf(slot)
    }
  }

  hit(slot: number): void {
    const state = this.state[slot] ?? 0
    if ((state & ~IN_SMALL) < USES_MAX + this.livesForSize(slot)) this.state[slot] = state + 1
  }

  remove(slot: number): void {
    if (this.isInSmall(slot)) this.fromSmall(slot)
    else this.fromMain(slot)
  }

  evict(tagOf: (slot: number) => number): number {
    for (;;) {
      const fromSmall =
        this.main.count === 0 || this.smallBytes > SMALL_SHARE * (this.smallBytes + this.mainBytes)
      const slot = fromSmall ? this.small.oldest : this.main.oldest
      if (slot === NO_SLOT) return NO_SLOT
      const uses = (this.state[slot] ?? 0) & ~IN_SMALL
      if (fromSmall) {
        this.fromSmall(slot)
        if (uses < this.usesToStay) {
          this.ghosts.add(tagOf(slot))
          return slot
        }
        this.toMain(slot, 0)
      } else {
        this.fromMain(slot)
        if (uses === 0) return slot
        this.toMain(slot, uses - 1)
      }
    }
  }

  *order(): Generator<number> {
    yield* this.main.fromNewest()
    yield* this.small.fromNewest()
  }

  creditOf(slot: number): number {
    return this.state[slot] ?? 0
  }

  private toMain(slot: number, uses: number): void {
    this.state[slot] = uses
    this.main.pushNewest(slot)
    this.mainBytes += this.sizeOf(slot)
  }

  private fromSmall(slot: number): void {
    this.small.remove(slot)
    this.smallBytes -= this.sizeOf(slot)
  }

  private fromMain(slot: number): void {
    this.main.remove(slot)
    this.mainBytes -= this.sizeOf(slot)
  }

  private livesForSize(slot: number): number {
    if (!this.sized) return 0
    const mean = (this.smallBytes + this.mainBytes) / (this.small.count + this.main.count)
    const size = this.sizeOf(slot)
    return size * 64 < mean ? 2 : size * 8 < mean ? 1 : 0
  }

  private isInSmall(slot: number): boolean {
    return ((this.state[slot] ?? 0) & IN_SMALL) !== 0
  }

  private sizeOf(slot: number): number {
    return this.bytes[slot] ?? 0
  }
}
