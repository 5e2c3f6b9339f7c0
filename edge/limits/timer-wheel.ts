// Many deadlines on one timer: a ring of slots, each a stretch of time, and one setTimeout for the next slot that
// holds anything. Adding and taking out cost the same however many wait. Nothing waits: there is no timer.
import type { Clock } from '../../src/clock.ts'

/** Kept by the wheel in what waits on it. */
export interface Timed {
  dueMs: number
  /** Where it stands on the ring; a new one starts at `OFF_WHEEL`. */
  slot: number
}

export const OFF_WHEEL = -1
/** Taken off because it is due, and about to hear of it. */
const READY = -2

export interface WheelShape {
  /** What is due is handled up to this much late, never early. */
  readonly tickMs: number
  readonly slots: number
}

export class TimerWheel<T extends Timed> {
  private readonly clock: Clock
  private readonly tickMs: number
  private readonly onDue: (entry: T, nowMs: number) => void
  private readonly slots: Set<T>[]
  /** Stands in for the slot that is being handled, which may fill again meanwhile. */
  private spare = new Set<T>()
  /** The first tick that was not handled yet. */
  private tick: number
  private timer: NodeJS.Timeout | null = null
  private timerTick = Number.POSITIVE_INFINITY
  private count = 0
  private running = false

  constructor(clock: Clock, shape: WheelShape, onDue: (entry: T, nowMs: number) => void) {
    this.clock = clock
    this.tickMs = shape.tickMs
    this.onDue = onDue
    this.slots = Array.from({ length: shape.slots }, () => new Set<T>())
    this.tick = this.tickAt(clock.monotonic())
  }

  get size(): number {
    return this.count
  }

  /** Moves an entry that waits already. */
  schedule(entry: T, dueMs: number): void {
    this.cancel(entry)
    // Nothing waited: the ticks since then hold nothing to handle.
    if (this.count === 0 && !this.running) this.tick = this.tickAt(this.clock.monotonic())
    // What is further away than the ring is long waits at its far end, and goes round again from there.
    const far = this.tick + this.slots.length - 1
    const tick = Math.min(far, Math.max(this.tick, Math.ceil(dueMs / this.tickMs)))
    entry.dueMs = dueMs
    entry.slot = tick % this.slots.length
    this.slots[entry.slot]?.add(entry)
    this.count++
    if (tick < this.timerTick && !this.running) this.arm(tick)
  }

  cancel(entry: T): void {
    if (entry.slot >= 0) {
      this.slots[entry.slot]?.delete(entry)
      this.count--
    }
    entry.slot = OFF_WHEEL
  }

  /** What the timer does; a test that holds the clock calls it itself. */
  runDue(): void {
    this.disarm()
    this.running = true
    const nowMs = this.clock.monotonic()
    const last = this.tickAt(nowMs)
    // After a long sleep once round is enough to meet every slot.
    this.tick = Math.max(this.tick, last - this.slots.length + 1)
    while (this.tick <= last) this.runSlot(this.tick++ % this.slots.length, nowMs)
    this.running = false
    this.armNext()
  }

  close(): void {
    this.disarm()
    for (const slot of this.slots) {
      for (const entry of slot) entry.slot = OFF_WHEEL
      slot.clear()
    }
    this.count = 0
  }

  private runSlot(index: number, nowMs: number): void {
    const ready = this.slots[index]
    if (ready === undefined || ready.size === 0) return
    this.slots[index] = this.spare
    this.count -= ready.size
    for (const entry of ready) entry.slot = READY
    for (const entry of ready) {
      // One before it may have cancelled or moved it.
      if (entry.slot !== READY) continue
      entry.slot = OFF_WHEEL
      if (entry.dueMs > nowMs) this.schedule(entry, entry.dueMs)
      else this.onDue(entry, nowMs)
    }
    ready.clear()
    this.spare = ready
  }

  private armNext(): void {
    if (this.count === 0) return
    for (let ahead = 0; ahead < this.slots.length; ahead++) {
      const tick = this.tick + ahead
      if ((this.slots[tick % this.slots.length]?.size ?? 0) === 0) continue
      this.arm(tick)
      return
    }
  }

  private arm(tick: number): void {
    this.disarm()
    this.timerTick = tick
    const waitMs = Math.max(1, Math.ceil(tick * this.tickMs - this.clock.monotonic()))
    this.timer = setTimeout(() => this.runDue(), waitMs)
    this.timer.unref()
  }

  private disarm(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.timerTick = Number.POSITIVE_INFINITY
  }

  private tickAt(nowMs: number): number {
    return Math.floor(nowMs / this.tickMs)
  }
}
