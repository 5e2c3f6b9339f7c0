// What a cache directory holds, for eviction: id, bytes, whether the body was verified, and the policy's
// state, in typed arrays. docs/decisions/0004-eviction.md says what it costs and why this policy.
import { IdTable } from './disk-id-table.ts'
import type { SliceId } from './disk-name.ts'
import type { EvictionPolicy, PolicyMaker } from '../eviction/policy.ts'
import { S3Fifo } from '../eviction/s3-fifo.ts'
import { NO_SLOT, byteColumn, growColumn, wordColumn } from '../eviction/slot-columns.ts'
import type { Bytes, Words } from '../eviction/slot-columns.ts'

export const chosenPolicy: PolicyMaker = (bytes, slotsMax) =>
  new S3Fifo(bytes, slotsMax, { usesToStay: 1, sized: true })

/** Bit of the state that tells a verified slice; the rest is the policy's credit. */
export const VERIFIED = 128

/** Is the body known to be what was written: not, since before the start, or since this process wrote or checked it? */
export type Verification = 'no' | 'before' | 'now'
const VERIFICATIONS: readonly Verification[] = ['no', 'before', 'now']
const BEFORE = VERIFICATIONS.indexOf('before')
const NOW = VERIFICATIONS.indexOf('now')

export interface IndexedSlice {
  readonly id: SliceId
  readonly bytes: number
  /** VERIFIED, and what the policy thought of it. */
  readonly state: number
}

export class SliceIndex {
  /** Of all slices here. */
  bytes = 0
  private readonly table: IdTable
  private readonly sizes: Words
  private readonly verified: Bytes
  private readonly policy: EvictionPolicy
  private readonly tagOf: (slot: number) => number

  constructor(slicesMax: number, makePolicy: PolicyMaker = chosenPolicy) {
    this.table = new IdTable(slicesMax)
    this.sizes = wordColumn(this.table.slotsMax)
    this.verified = byteColumn(this.table.slotsMax)
    this.policy = makePolicy(this.sizes, this.table.slotsMax)
    this.tagOf = (slot) => this.table.tagOf(slot)
  }

  get count(): number {
    return this.table.count
  }

  /** No room for another slice, however small. */
  get full(): boolean {
    return this.table.full
  }

  has(id: SliceId): boolean {
    return this.table.find(id) !== NO_SLOT
  }

  /** A slice just written; while not full. One of the same name is replaced. */
  add(id: SliceId, bytes: number): void {
    this.remove(id)
    const slot = this.take(id, bytes, NOW)
    this.policy.insert(slot, this.table.tagOf(slot))
  }

  /** A slice from before the start, older than all that were restored so far; while not full. */
  restore({ id, bytes, state }: IndexedSlice): void {
    const slot = this.take(id, bytes, (state & VERIFIED) === 0 ? 0 : BEFORE)
    this.policy.restore(slot, state & ~VERIFIED)
  }

  hit(id: SliceId): void {
    const slot = this.table.find(id)
    if (slot !== NO_SLOT) this.policy.hit(slot)
  }

  /** undefined when the slice is not here. */
  verificationOf(id: SliceId): Verification | undefined {
    const slot = this.table.find(id)
    return slot === NO_SLOT ? undefined : VERIFICATIONS[this.verified[slot] ?? 0]
  }

  setVerified(id: SliceId): void {
    const slot = this.table.find(id)
    if (slot !== NO_SLOT) this.verified[slot] = NOW
  }

  remove(id: SliceId): boolean {
    const slot = this.table.find(id)
    if (slot === NO_SLOT) return false
    this.policy.remove(slot)
    this.drop(slot)
    return true
  }

  /** Chooses a slice and forgets it; undefined when there is none. */
  evict(): SliceId | undefined {
    const slot = this.policy.evict(this.tagOf)
    if (slot === NO_SLOT) return undefined
    const id = this.table.idOf(slot)
    this.drop(slot)
    return id
  }

  /** All slices, the last to be evicted first. */
  *slices(): Generator<IndexedSlice> {
    for (const slot of this.policy.order()) {
      const verified = this.verified[slot] === 0 ? 0 : VERIFIED
      yield {
        id: this.table.idOf(slot),
        bytes: this.sizes[slot] ?? 0,
        state: verified | this.policy.creditOf(slot),
      }
    }
  }

  private take(id: SliceId, bytes: number, verified: number): number {
    const slot = this.table.add(id)
    if (this.table.slots > this.sizes.length) {
      growColumn(this.sizes, this.table.slots)
      growColumn(this.verified, this.table.slots)
      this.policy.grow(this.table.slots)
    }
    this.sizes[slot] = bytes
    this.verified[slot] = verified
    this.bytes += bytes
    return slot
  }

  private drop(slot: number): void {
    this.bytes -= this.sizes[slot] ?? 0
    this.table.remove(slot)
  }
}
