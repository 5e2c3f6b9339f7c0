// Warnings that others can cause as often as they like: of each cause the first at once, then one line per interval
// with how many there were. Bounded by its callers: a cause is a constant or the id of a configured edge.
import type { Clock } from '../src/clock.ts'
import type { Logger } from '../src/log.ts'
import { REPEATED_LOG_EVERY_MS } from './limits.ts'

interface Logged {
  atMs: number
  /** Since then. */
  unlogged: number
}

export class BoundedLog {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #causes = new Map<string, Logged>()

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  warn(cause: string, about: object, message: string): void {
    const nowMs = this.#clock.monotonic()
    const logged = this.#causes.get(cause)
    if (logged !== undefined && nowMs - logged.atMs < REPEATED_LOG_EVERY_MS) {
      logged.unlogged++
      return
    }
    this.#log.warn({ ...about, unlogged: logged?.unlogged ?? 0 }, message)
    this.#causes.set(cause, { atMs: nowMs, unlogged: 0 })
  }
}
