// How fast a prefetch may go: within its hours, at its rate, and behind clients. Objects begin one after the other, each
// when what the ones before it took is paid for; what comes meanwhile comes at the origin's pace.
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../../../src/clock.ts'
import type { TimeWindow } from '../../../src/access/time-window.ts'
import { bucketSize, newBucket, takeTokens, waitMs } from '../../limits/token-bucket.ts'
import { PREFETCH_LOOK_MS, PREFETCH_YIELD_MS } from '../../limits.ts'

export interface PacerDeps {
  readonly clock: Clock
  /** null: at any time. */
  readonly window: TimeWindow | null
  /** Clients need what it would take. */
  readonly isBusy: () => boolean
}

export class Pacer {
  readonly #deps: PacerDeps
  /** A token is a byte. null: no bound. */
  #bitRate: number | null = null
  readonly #bucket = newBucket()
  #last: Promise<void> = Promise.resolve()

  constructor(deps: PacerDeps) {
    this.#deps = deps
    // It saves nothing up: an empty one, and none that was idle is fuller than a second's worth.
    this.#bucket.level = 0
    this.#bucket.atMs = Math.floor(deps.clock.monotonic())
  }

  set bitRate(bitsPerSecond: number | null) {
    this.#bitRate = bitsPerSecond
  }

  /**
   * Resolves when an object may begin; the next may when the returned function is called, with what of the object is
   * known to come at once. Rejects when the signal is given.
   */
  async turn(signal: AbortSignal): Promise<(bytes: number) => void> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    try {
      await before
      await this.ready(signal)
    } catch (error) {
      resolve()
      throw error
    }
    // Without a rate nobody waits for anybody's head.
    if (this.#bitRate === null) resolve()
    return (bytes) => {
      this.pay(bytes)
      resolve()
    }
  }

  /** Resolves when more may come. */
  async ready(signal: AbortSignal): Promise<void> {
    for (let ms = this.#delayMs(); ms > 0; ms = this.#delayMs()) {
      // oxlint-disable-next-line no-await-in-loop -- hours, rate and clients may have changed by then
      await wait(ms, undefined, { signal })
    }
    signal.throwIfAborted()
  }

  /** It is within its hours. */
  isOpen(): boolean {
    const { clock, window } = this.#deps
    return window === null || window.includes(clock.now())
  }

  pay(bytes: number): void {
    if (this.#bitRate !== null) takeTokens(this.#bucket, bytes)
  }

  #delayMs(): number {
    const { clock, isBusy } = this.#deps
    if (!this.isOpen()) return PREFETCH_LOOK_MS
    if (isBusy()) return PREFETCH_YIELD_MS
    if (this.#bitRate === null) return 0
    const bytes = this.#bitRate / 8
    const size = bucketSize({ rate: bytes, burst: Math.max(1, bytes) })
    return Math.min(PREFETCH_LOOK_MS, waitMs(this.#bucket, size, clock.monotonic()))
  }
}
