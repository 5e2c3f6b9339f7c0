// How an edge fares: from the age and the words of its last report, and from what is remembered of the time before.
// Silence is never health: what was not heard of for five seconds, or never, is down.
import { DEGRADED_WEIGHT, DOWN_AFTER_MS, RETURN_AFTER_MS, SUSPECT_AFTER_MS } from '../limits.ts'
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'
import type { EdgeHealth } from './edge-health.ts'

export const EDGE_STATES = ['up', 'overloaded', 'suspect', 'degraded', 'draining', 'down'] as const

export type EdgeState = (typeof EDGE_STATES)[number]

export function stateOf(seen: SeenReport | undefined, nowMs: number, health?: EdgeHealth): EdgeState {
  if (seen === undefined) return 'down'
  const ageMs = ageOf(seen, nowMs)
  if (ageMs > DOWN_AFTER_MS) return 'down'
  if (seen.override?.state === 'down') return 'down'
  if (seen.report.state === 'draining' || seen.override?.state === 'drain') return 'draining'
  if (suspicionOf(ageMs, health, nowMs) !== null) return 'suspect'
  if (seen.report.state === 'degraded') return 'degraded'
  return health?.overloaded === true ? 'overloaded' : 'up'
}

/**
 * Why an edge is suspect. silent: no report for three seconds. returning: heard again, but not for long enough to
 * believe it. flapping: comes and goes too often (flap-damping.ts).
 */
export type Suspicion = 'silent' | 'returning' | 'flapping'

/** `ageMs` of its last report. */
export function suspicionOf(ageMs: number, health: EdgeHealth | undefined, nowMs: number): Suspicion | null {
  if (ageMs > SUSPECT_AFTER_MS) return 'silent'
  if (health === undefined) return null
  if (nowMs < health.dampedUntilMs) return 'flapping'
  // Heard for that long: a report and the silence after it are no recovery.
  return health.seen.receivedAtMs - health.returnedAtMs < RETURN_AFTER_MS ? 'returning' : null
}

/**
 * 0: takes clients. A degraded edge is among them, at a part of its weight: near and slower beats far. So is an
 * overloaded one, behind those of its site that are not.
 * 1: only when no edge of any site is better: it may be gone, or go again.
 * null: takes no new client.
 */
export const RANK: Readonly<Record<EdgeState, 0 | 1 | null>> = {
  up: 0,
  overloaded: 0,
  degraded: 0,
  suspect: 1,
  draining: null,
  down: null,
}

export function weightIn(state: EdgeState, weight: number): number {
  return state === 'degraded' ? weight * DEGRADED_WEIGHT : weight
}
