// A pull that a test drives by hand: it is its owner, and plays the upstream whose answer is cut into slices.
import { Pull } from '../../edge/fill/pull.ts'
import type { PullOwner } from '../../edge/fill/pull.ts'
import type { SlotKind } from '../../edge/upstream/origin-slots.ts'
import type { EdgewardError } from '../../src/errors.ts'
import { bytesOf } from './bytes.ts'
import { objectMeta } from './edge-parts.ts'

export const SLICE = 100
export const BODY = bytesOf(1, 1000)

export interface Shape {
  length: number | null
  storable?: boolean
  ranges?: boolean
  first?: number
  end?: number | null
}

export class Rig implements PullOwner {
  readonly events: string[] = []
  readonly started: number[] = []
  readonly stored = new Map<number, Buffer>()
  paused = false
  aborted = false
  /** What its place at the origin counts as, and what there is no room for. */
  place: SlotKind = 'filling'
  full: SlotKind[] = []
  parkedAt: number[] = []
  readonly pull: Pull

  constructor({ length, storable = true, ranges = true, first = 0, end = null }: Shape) {
    const flow = {
      pause: () => void (this.paused = true),
      resume: () => void (this.paused = false),
      abort: () => void (this.aborted = true),
      hold: (kind: SlotKind) => {
        const free = !this.full.includes(kind)
        if (free) this.place = kind
        return free
      },
    }
    this.pull = new Pull(this, flow, objectMeta({ length, ranges, sliceBytes: SLICE }), storable, first, end)
  }

  parked(_pull: Pull, index: number): void {
    this.parkedAt.push(index)
  }
  sliceStarted(_pull: Pull, slice: { index: number }): void {
    this.started.push(slice.index)
  }
  sliceCompleted(_pull: Pull, slice: { index: number; body(): Buffer }): void {
    this.stored.set(slice.index, slice.body())
  }
  ended(): void {
    this.events.push('ended')
  }
  failed(_pull: Pull, error: EdgewardError): void {
    this.events.push(`failed: ${error.code}`)
  }
  abandoned(): void {
    this.events.push('abandoned')
  }
  unstorable(): void {
    this.events.push('unstorable')
  }

  /** What the origin sends, as long as the flow is not paused, in chunks of this size; gives how far it came. */
  feed(from: number, to: number, chunk = 30): number {
    let at = from
    while (at < to && !this.paused && !this.aborted) {
      this.pull.onData(BODY.subarray(at, Math.min(at + chunk, to)))
      at += chunk
    }
    return Math.min(at, to)
  }
}
