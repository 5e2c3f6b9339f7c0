// From sites in order of preference to the edges that may take this client: those of the first site that has
// any fit one, so that a dead site falls over to the nearest living one.
import type { Snapshot } from '../snapshot.ts'
import type { EdgeView, SiteView } from '../topology.ts'
import { RANK, stateOf, weightIn } from './liveness.ts'
import type { EdgeState } from './liveness.ts'
import type { Claim } from './rendezvous.ts'

export interface Candidate extends Claim {
  readonly edge: EdgeView
  readonly state: EdgeState
  readonly weight: number
  score: number
}

export interface FitSite {
  readonly site: SiteView
  readonly candidates: readonly Candidate[]
}

/** The located sites first, then all others by distance from the first of them. */
export function sitesInOrder(located: readonly SiteView[]): readonly SiteView[] {
  const first = located[0]
  if (first === undefined) return []
  if (located.length === 1) return first.byDistance
  return [...located, ...first.byDistance.filter((site) => !located.includes(site))]
}

/**
 * Undefined when no edge of any site takes new clients. `avoided`: the edge that sent this client away; it is taken
 * only where there is no other.
 */
export function findFitSite(
  sites: readonly SiteView[],
  snapshot: Snapshot,
  nowMs: number,
  avoided?: string,
): FitSite | undefined {
  let lastResort: FitSite | undefined
  for (const site of sites) {
    const willing = candidatesOf(site, snapshot, nowMs, 0)
    const candidates = avoided === undefined ? willing : willing.filter(({ id }) => id !== avoided)
    if (candidates.length > 0) return { site, candidates }
    if (willing.length > 0) lastResort ??= { site, candidates: willing }
    if (lastResort === undefined) {
      const suspects = candidatesOf(site, snapshot, nowMs, 1)
      if (suspects.length > 0) lastResort = { site, candidates: suspects }
    }
  }
  return lastResort
}

function candidatesOf(site: SiteView, snapshot: Snapshot, nowMs: number, rank: 0 | 1): Candidate[] {
  const candidates: Candidate[] = []
  for (const edge of site.edges) {
    const state = stateOf(snapshot.reports[edge.index], nowMs)
    if (RANK[state] !== rank) continue
    candidates.push({ id: edge.id, edge, state, weight: weightIn(state, edge.weight), score: 0 })
  }
  return candidates
}
