// The scheduler's clock: time in which this process could hear nothing does not pass. Without it, a process that was
// stopped (by a debugger, a machine that was moved, a starved core) would wake to reports that are all too old, and
// answer clients by them before it has read the ones that wait in its sockets.
import type { Clock } from '../../src/clock.ts'
import { HEALTH_TICK_MS, STANDSTILL_MS } from '../limits.ts'

/** Owns a timer that reads the clock; `close` ends it. */
export class AwakeClock implements Clock {
  readonly #clock: Clock
  readonly #timer: NodeJS.Timeout
  #readMs: number
  #asleepMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#readMs = clock.monotonic()
    this.#timer = setInterval(() => this.monotonic(), HEALTH_TICK_MS)
    this.#timer.unref()
  }

  now(): number {
    return this.#clock.now()
  }

  /** Whoever asks first after a standstill finds it: a request may be read before any timer fires. */
  monotonic(): number {
    const nowMs = this.#clock.monotonic()
    this.#asleepMs += Math.max(0, nowMs - this.#readMs - STANDSTILL_MS)
    this.#readMs = nowMs
    return nowMs - this.#asleepMs
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
