// One slice while it arrives. Any number of readers follow it and are woken when more is there; none of
// them holds it back, and none of them owns it.
import type { EdgewardError } from '../../src/errors.ts'

export type SliceState = 'filling' | 'complete' | 'failed'

const FIRST_CAPACITY = 64 * 1024

export class SliceBuffer {
  readonly index: number
  state: SliceState = 'filling'
  error: EdgewardError | null = null
  received = 0
  private bytes: Buffer
  private readonly capacity: number
  private progress: PromiseWithResolvers<void> | null = null

  /** `capacity` is its length where that is known, else the most it may take. */
  constructor(index: number, capacity: number, lengthKnown: boolean) {
    this.index = index
    this.capacity = capacity
    this.bytes = Buffer.allocUnsafeSlow(lengthKnown ? capacity : Math.min(FIRST_CAPACITY, capacity))
  }

  get room(): number {
    return this.capacity - this.received
  }

  /** Takes what fits; gives how much that was. */
  append(chunk: Buffer): number {
    const taken = Math.min(chunk.length, this.room)
    if (this.received + taken > this.bytes.length) this.grow(this.received + taken)
    chunk.copy(this.bytes, this.received, 0, taken)
    this.received += taken
    this.wake()
    return taken
  }

  complete(): void {
    this.state = 'complete'
    this.wake()
  }

  fail(error: EdgewardError): void {
    if (this.state !== 'filling') return
    this.state = 'failed'
    this.error = error
    this.wake()
  }

  /** What is there from `from` up to `to`, without a copy. */
  view(from: number, to: number): Buffer {
    return this.bytes.subarray(from, Math.min(to, this.received))
  }

  /** The finished body, for the tiers. */
  body(): Buffer {
    // A body that grew by doubling must not keep its slack for as long as it is cached.
    return this.received === this.bytes.length
      ? this.bytes
      : Buffer.copyBytesFrom(this.bytes, 0, this.received)
  }

  /** Resolves at the next change. One promise serves all readers. */
  changed(): Promise<void> {
    this.progress ??= Promise.withResolvers<void>()
    return this.progress.promise
  }

  private wake(): void {
    const progress = this.progress
    this.progress = null
    progress?.resolve()
  }

  private grow(needed: number): void {
    const size = Math.min(this.capacity, Math.max(needed, this.bytes.length * 2))
    const larger = Buffer.allocUnsafeSlow(size)
    this.bytes.copy(larger, 0, 0, this.received)
    this.bytes = larger
  }
}
