// How an edge fares, from the age and the words of its last report. Silence is never health: what was not
// heard of for five seconds, or never, is down.
import { DEGRADED_WEIGHT, DOWN_AFTER_MS, SUSPECT_AFTER_MS } from '../limits.ts'
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'

export const EDGE_STATES = ['up', 'suspect', 'degraded', 'draining', 'down'] as const

export type EdgeState = (typeof EDGE_STATES)[number]

export function stateOf(seen: SeenReport | undefined, nowMs: number): EdgeState {
  if (seen === undefined) return 'down'
  const ageMs = ageOf(seen, nowMs)
  if (ageMs > DOWN_AFTER_MS) return 'down'
  if (seen.override?.state === 'down') return 'down'
  if (seen.report.state === 'draining' || seen.override?.state === 'drain') return 'draining'
  if (ageMs > SUSPECT_AFTER_MS) return 'suspect'
  return seen.report.state
}

/**
 * 0: takes clients. A degraded edge is among them, at a part of its weight: near and slower beats far.
 * 1: only when no edge of any site is better: it was silent for three seconds and may be gone.
 * null: takes no new client.
 */
export const RANK: Readonly<Record<EdgeState, 0 | 1 | null>> = {
  up: 0,
  degraded: 0,
  suspect: 1,
  draining: null,
  down: null,
}

export function weightIn(state: EdgeState, weight: number): number {
  return state === 'degraded' ? weight * DEGRADED_WEIGHT : weight
}
