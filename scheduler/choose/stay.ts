// Whether a player that plays from an edge may go on there. It is asked less than of an edge for a new client: what is
// in the player's buffer and in the edge's cache is worth more than a better place.
import { stateOf } from '../health/liveness.ts'
import type { EdgeState } from '../health/liveness.ts'
import type { EdgeView } from '../topology.ts'
import { mismatchOf } from './candidates.ts'
import type { ChoiceQuery } from './candidates.ts'

const STAYS: ReadonlySet<EdgeState> = new Set(['up', 'overloaded', 'degraded'])

export function mayStay(edge: EdgeView, choice: ChoiceQuery): boolean {
  const { property, family, snapshot, nowMs } = choice
  if (property.siteIds !== null && !property.siteIds.has(edge.siteId)) return false
  if (mismatchOf(edge, choice) !== null) return false
  const reach = snapshot.reach[edge.index]
  if (family !== undefined && reach?.[family] === 'unreachable') return false
  const seen = snapshot.reports[edge.index]
  if (seen === undefined) return false
  // An operator's drain lets sessions finish; an edge that says so itself is about to end.
  const drained = seen.override?.state === 'drain' && seen.report.state !== 'draining'
  const { override: _lifted, ...own } = seen
  return STAYS.has(stateOf(drained ? own : seen, nowMs, snapshot.health[edge.index]))
}
