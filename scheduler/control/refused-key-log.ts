// Wrong keys in the log: the first at once, then one line per interval with how many there were.
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { REFUSED_KEY_LOG_EVERY_MS } from '../limits.ts'

export class RefusedKeyLog {
  readonly #clock: Clock
  readonly #log: Logger
  #loggedAtMs = Number.NEGATIVE_INFINITY
  #unlogged = 0

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  note(peer: string): void {
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#loggedAtMs < REFUSED_KEY_LOG_EVERY_MS) {
      this.#unlogged++
      return
    }
    this.#log.warn({ peer, unlogged: this.#unlogged }, 'refused a missing or unknown edge key')
    this.#loggedAtMs = nowMs
    this.#unlogged = 0
  }
}
