// How much may be sent again: a share of what is sent, and a little besides. A failure of many requests would else be
// answered with as many more, just when an upstream can take them least.
import { RETRIES_A_SECOND, RETRIES_SAVED_MAX, RETRY_SHARE } from '../limits.ts'

export class RetryBudget {
  /** Times that it was used up. */
  refused = 0
  #saved = RETRIES_SAVED_MAX
  #asOfMs = 0

  /** A request is sent for the first time. */
  note(): void {
    this.#saved = Math.min(RETRIES_SAVED_MAX, this.#saved + RETRY_SHARE)
  }

  /** Whether one may be sent again; it is, if so. */
  take(nowMs: number): boolean {
    const gained = (Math.max(0, nowMs - this.#asOfMs) / 1000) * RETRIES_A_SECOND
    this.#asOfMs = nowMs
    this.#saved = Math.min(RETRIES_SAVED_MAX, this.#saved + gained)
    if (this.#saved < 1) {
      this.refused++
      return false
    }
    this.#saved--
    return true
  }
}
