// How often an edge comes and goes, as a penalty that each flap raises and time halves (after route flap damping,
// RFC 2439 §4.2): beyond one threshold the edge is suspect until the penalty is below another.
import { FLAP_DAMPED_FROM, FLAP_DAMPED_UNTIL, FLAP_HALF_LIFE_MS, FLAP_PENALTY_MAX } from '../limits.ts'

export interface FlapPenalty {
  /** At `atMs`; it halves every FLAP_HALF_LIFE_MS. */
  readonly value: number
  readonly atMs: number
}

export const NO_FLAPS: FlapPenalty = { value: 0, atMs: 0 }

export function flapped(before: FlapPenalty, by: number, nowMs: number): FlapPenalty {
  const faded = before.value * 0.5 ** (Math.max(0, nowMs - before.atMs) / FLAP_HALF_LIFE_MS)
  return { value: Math.min(FLAP_PENALTY_MAX, faded + by), atMs: nowMs }
}

/** Monotonic; `before` when the penalty damps nothing. Bounded, since the penalty is. */
export function dampedUntilMs({ value, atMs }: FlapPenalty, before: number): number {
  const isDamped = value >= FLAP_DAMPED_FROM || atMs < before
  if (!isDamped) return before
  return atMs + FLAP_HALF_LIFE_MS * Math.log2(value / FLAP_DAMPED_UNTIL)
}
