// Denials, told without a flood: the first of a kind at once, those that follow counted and told together at the end
// of each window, until a window stays empty. A kind is a property and a reason, of which there are few.
import type { Clock } from '../../src/clock.ts'
import { DENIAL_WINDOW_MS } from '../limits.ts'
import { OFF_WHEEL, TimerWheel } from '../limits/timer-wheel.ts'
import type { Timed } from '../limits/timer-wheel.ts'

export interface Denial {
  readonly property: string
  readonly reason: string
  readonly status: number
  readonly address: string
}

/** `seconds`: in which they came; 0 for the first, alone. */
export type TellDenials = (last: Denial, count: number, seconds: number) => void

interface Window extends Timed {
  readonly key: string
  last: Denial
  count: number
  startedMs: number
}

export class DenialBursts {
  private readonly clock: Clock
  private readonly tell: TellDenials
  private readonly windows = new Map<string, Window>()
  private readonly wheel: TimerWheel<Window>

  constructor(clock: Clock, tell: TellDenials) {
    this.clock = clock
    this.tell = tell
    this.wheel = new TimerWheel(clock, { tickMs: 250, slots: 64 }, (window) => this.turn(window))
  }

  note(denial: Denial): void {
    const key = `${denial.property} ${denial.reason}`
    const open = this.windows.get(key)
    if (open !== undefined) {
      open.last = denial
      open.count++
      return
    }
    const startedMs = this.clock.monotonic()
    const window = { key, last: denial, count: 0, startedMs, dueMs: 0, slot: OFF_WHEEL }
    this.windows.set(key, window)
    this.wheel.schedule(window, startedMs + DENIAL_WINDOW_MS)
    this.tell(denial, 1, 0)
  }

  /** What its timer does; a test that holds the clock calls it itself. */
  runDue(): void {
    this.wheel.runDue()
  }

  /** Tells what was counted, as the edge stops. */
  close(): void {
    for (const window of this.windows.values()) this.tellCounted(window)
    this.windows.clear()
    this.wheel.close()
  }

  private turn(window: Window): void {
    if (window.count === 0) {
      this.windows.delete(window.key)
      return
    }
    this.tellCounted(window)
    window.count = 0
    window.startedMs = this.clock.monotonic()
    this.wheel.schedule(window, window.startedMs + DENIAL_WINDOW_MS)
  }

  private tellCounted(window: Window): void {
    if (window.count === 0) return
    const seconds = Math.round((this.clock.monotonic() - window.startedMs) / 1000)
    this.tell(window.last, window.count, Math.max(1, seconds))
  }
}
