// Whether this scheduler should be sent clients: /readyz, for load balancers and supervisors.
import { DOWN_AFTER_MS } from '../limits.ts'
import { RANK, stateOf } from '../health/liveness.ts'
import type { Snapshot } from '../snapshot.ts'

export interface Lifecycle {
  /** Monotonic; null before the steering listener listens. */
  listeningSinceMs: number | null
  draining: boolean
}

export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: 'starting' | 'draining' | 'no-reports-yet' }

/**
 * Ready once an edge takes clients, or when every edge has had the time to report: a scheduler whose edges are
 * all down is no worse than its neighbours, and must answer so.
 */
export function readinessOf(lifecycle: Lifecycle, snapshot: Snapshot, nowMs: number): Readiness {
  const { listeningSinceMs, draining } = lifecycle
  if (draining) return { ready: false, reason: 'draining' }
  if (listeningSinceMs === null) return { ready: false, reason: 'starting' }
  if (nowMs - listeningSinceMs > DOWN_AFTER_MS) return { ready: true }
  const heard = snapshot.reports.some((seen, i) => RANK[stateOf(seen, nowMs, snapshot.health[i])] === 0)
  return heard ? { ready: true } : { ready: false, reason: 'no-reports-yet' }
}

/** Once it is ready it stays so: who asks for every answer need not look at every edge each time. */
export function readyForGood(isReady: () => boolean): () => boolean {
  let was = false
  return () => (was ||= isReady())
}
