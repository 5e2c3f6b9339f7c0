// A bandwidth that several replies share: all of a property, or all of one client. Those who want more than is free
// stand in a queue, each with one piece of equal length at most, so that turns are equal shares and whoever reads
// slowly leaves its share to the others.
import { BANDWIDTH_BURST_MS } from '../limits.ts'
import { OFF_WHEEL } from './timer-wheel.ts'
import type { Timed } from './timer-wheel.ts'

/** Stands in a pipe's queue. */
export interface Waiter {
  /** Its piece may leave; it is in the queue no more. */
  mayGo(): void
}

/** Where a pipe waits for its next turn. */
export type PipeTimer = (pipe: Pipe, dueMs: number) => void

export class Pipe implements Timed {
  dueMs = 0
  slot = OFF_WHEEL
  bytesPerMs: number
  private readonly timer: PipeTimer
  private readonly queue = new Map<Waiter, number>()
  /** When all that was let through has left, at the rate. In the past: the pipe has been idle since. */
  private clearMs = Number.NEGATIVE_INFINITY

  constructor(bytesPerMs: number, timer: PipeTimer) {
    this.bytesPerMs = bytesPerMs
    this.timer = timer
  }

  get waiting(): number {
    return this.queue.size
  }

  /** Bytes that may leave now without exceeding the rate for longer than its burst; none while others wait. */
  freeBytes(nowMs: number): number {
    if (this.queue.size > 0) return 0
    return Math.max(0, Math.floor((nowMs - this.floor(nowMs)) * this.bytesPerMs))
  }

  /** These leave now. */
  charge(bytes: number, nowMs: number): void {
    this.clearMs = this.floor(nowMs) + bytes / this.bytesPerMs
  }

  /** A turn at once if nobody waits and the pipe is clear; the last piece before may have run a little over. */
  takeTurn(bytes: number, nowMs: number): boolean {
    if (this.queue.size > 0 || this.clearMs > nowMs) return false
    this.charge(bytes, nowMs)
    return true
  }

  join(waiter: Waiter, bytes: number): void {
    this.queue.set(waiter, bytes)
    if (this.queue.size === 1) this.timer(this, this.clearMs)
  }

  leave(waiter: Waiter): void {
    this.queue.delete(waiter)
  }

  /** Its time has come: as many turns as the rate allows by now. */
  run(nowMs: number): void {
    for (const [waiter, bytes] of this.queue) {
      if (this.clearMs > nowMs) {
        this.timer(this, this.clearMs)
        return
      }
      this.queue.delete(waiter)
      this.charge(bytes, nowMs)
      waiter.mayGo()
    }
  }

  private floor(nowMs: number): number {
    return Math.max(this.clearMs, nowMs - BANDWIDTH_BURST_MS)
  }
}
