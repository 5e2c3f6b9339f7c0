// Several edges for one client, best first: for one that chooses itself, or that moves when its edge fails. The first is
// the one that a redirect would lead to; behind it stands another of its site, then the best of each further site.
import { ROUTES_OF_FIRST_SITE, ROUTE_SITES_MAX } from '../limits.ts'
import type { EdgeView } from '../topology.ts'
import type { Candidate, ChoiceQuery } from './candidates.ts'
import { NO_ASSET, boundLoads, preferEdges } from './edges.ts'
import { weighSites } from './sites.ts'
import type { SiteOrder, WeighedSite, Weighing } from './sites.ts'

export interface Route {
  readonly candidate: Candidate
  readonly site: WeighedSite
}

/** What a redirect would be decided from. */
export interface FirstSite {
  readonly order: SiteOrder
  readonly weighing: Weighing
  /** The edges of its chosen site, best first. */
  readonly ranked: readonly Candidate[]
}

export interface RoutesWanted {
  readonly count: number
  /** Left out: any edge. */
  readonly suits?: (edge: EdgeView) => boolean
}

/** Empty when no edge can serve. Beside an edge that nothing speaks against, a doubtful one is no choice. */
export function routesOf(
  { order, weighing: first, ranked }: FirstSite,
  choice: ChoiceQuery,
  { count, suits = () => true }: RoutesWanted,
): Route[] {
  const routes: Route[] = []
  const others: Route[] = []
  const taken: WeighedSite[] = []
  let weighing = first
  let edges = ranked
  while (weighing.chosen !== undefined && routes.length < count) {
    const site = weighing.chosen
    if (ranked[0]?.doubt === 'none' && edges[0]?.doubt !== 'none') break
    const here = edges.filter(({ edge }) => suits(edge)).map((candidate): Route => ({ candidate, site }))
    const share = taken.length === 0 ? ROUTES_OF_FIRST_SITE : 1
    routes.push(...here.slice(0, share))
    others.push(...here.slice(share))
    taken.push(site)
    if (taken.length === ROUTE_SITES_MAX) break
    weighing = weighSites(order, choice, taken)
    edges = rankedEdgesOf(weighing, choice)
  }
  return [...routes, ...others].slice(0, count)
}

/** The edges of the chosen site in the order in which a client of this asset gets them. */
export function rankedEdgesOf({ chosen, fit }: Weighing, choice: ChoiceQuery): readonly Candidate[] {
  if (chosen === undefined) return []
  const { key, client, demand, nowMs, byAddress } = choice
  const rates = byAddress
    ? NO_ASSET
    : {
        rate: demand.assetRate(key, chosen.site, nowMs),
        bitRate: demand.assetBitRate(key, chosen.site, nowMs),
      }
  return boundLoads(preferEdges(fit.candidates, key, client, rates))
}
