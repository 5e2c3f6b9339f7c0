// Time that passes only when the simulation says so, and the clocks of machines that tell it wrongly.
import type { Clock } from '../../src/clock.ts'

/** Everything happens in steps of this length; decisions are spread evenly over theirs. As SNAPSHOT_COALESCE_MS. */
export const STEP_MS = 100

/** Wall clock of the first moment: any will do. */
const EPOCH_MS = 1_800_000_000_000

export interface ClockError {
  /** Of its wall clock. */
  readonly aheadMs: number
  /** Its second, in real ones: 1.01 is one that runs a hundredth too slowly. */
  readonly second: number
}

export class VirtualClock {
  /** Since the simulation began. */
  nowMs = 0

  /** A machine's: each was started at another time. */
  machine({ aheadMs, second }: ClockError, startedMs: number): Clock {
    return {
      now: () => EPOCH_MS + aheadMs + this.nowMs / second,
      monotonic: () => startedMs + this.nowMs / second,
    }
  }
}
