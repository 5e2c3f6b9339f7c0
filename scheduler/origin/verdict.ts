// Whether an origin is asked: one verdict for all edges, from probes and from what edges saw, slow to change back. A pure
// step from one look to the next.
import type { ProbeFinding } from './family-standing.ts'
import type { EdgesWord } from './edges-word.ts'
import { HOLD_OFF_MS_MAX, RAMP_MS, RAMP_SHARES, STEADY_MS } from './limits.ts'

/** returning: asked again, by a growing share of its requests. */
export const VERDICTS = ['up', 'down', 'returning'] as const

export type VerdictState = (typeof VERDICTS)[number]

export interface Verdict {
  readonly state: VerdictState
  /** Monotonic. */
  readonly sinceMs: number
  /** What brought it down; null before anything did. */
  readonly by: 'probes' | 'edges' | null
  /** How long it is left alone when edges find it failed; 0: it has not failed of late. */
  readonly heldOffMs: number
}

export interface OriginEvidence {
  /** unknown: it is not probed, or not believably. */
  readonly probes: ProbeFinding
  readonly edges: EdgesWord
}

export function firstVerdict(nowMs: number): Verdict {
  return { state: 'up', sinceMs: nowMs, by: null, heldOffMs: 0 }
}

/** `holdOffMs`: the first time that it is left alone. */
export function nextVerdict(
  before: Verdict,
  { probes, edges }: OriginEvidence,
  holdOffMs: number,
  nowMs: number,
): Verdict {
  const forMs = nowMs - before.sinceMs
  if (before.state === 'down') {
    // Also when edges were the first to see it: it comes back when its probes do.
    if (probes === 'down') return before.by === 'probes' ? before : { ...before, by: 'probes' }
    const isBack = probes === 'up' && before.by === 'probes'
    return isBack || forMs >= before.heldOffMs ? { ...before, state: 'returning', sinceMs: nowMs } : before
  }
  if (probes === 'down' || edges === 'failing') {
    const doubled = Math.min(HOLD_OFF_MS_MAX, 2 * before.heldOffMs)
    const heldOffMs = before.heldOffMs === 0 ? holdOffMs : doubled
    return { state: 'down', sinceMs: nowMs, by: probes === 'down' ? 'probes' : 'edges', heldOffMs }
  }
  if (before.state === 'returning') {
    return forMs >= RAMP_MS ? { ...before, state: 'up', sinceMs: nowMs } : before
  }
  return before.heldOffMs > 0 && forMs >= STEADY_MS ? { ...before, heldOffMs: 0 } : before
}

/** Of the requests that it would be asked: 0 to 1. */
export function shareOf({ state, sinceMs }: Verdict, nowMs: number): number {
  if (state !== 'returning') return state === 'up' ? 1 : 0
  const step = Math.floor(((nowMs - sinceMs) / RAMP_MS) * RAMP_SHARES.length)
  return RAMP_SHARES[Math.max(0, step)] ?? 1
}
