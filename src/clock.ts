// Time and chance, passed in so that a test can hold them still. Only this file reads the real ones.

export interface Clock {
  /** Milliseconds since the epoch; may jump when the machine's clock is set. For HTTP dates and ages. */
  now(): number
  /** Milliseconds that only grow. For timeouts, liveness and durations. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

/** A number in [0, 1). */
export type Random = () => number

export const systemRandom: Random = () => Math.random()
