// The choice that nearly all clients get, made without weighing anything: the located site has room, and the edge that
// the asset's hash prefers there is not above its share. It is the choice that the long way would make, or none.
import { CONGESTION_FROM, HOT_ASSET_RATE, HOT_ASSET_SHARE } from '../limits.ts'
import type { ClientLocation } from '../locate/locate.ts'
import type { EdgeView, SiteView } from '../topology.ts'
import { utilisationOf } from './candidates.ts'
import type { ChoiceQuery } from './candidates.ts'
import { isHardlyLoaded, isOverShare } from './edges.ts'
import { compareClaims, scoreOf } from './rendezvous.ts'
import { loadedTotalsOf } from './site-totals.ts'
import type { Standing } from './standing.ts'

/** undefined: the long way must be gone. */
export function edgeAtOnce({ sites }: ClientLocation, query: ChoiceQuery): EdgeView | undefined {
  const [site] = sites
  const { property, client, snapshot } = query
  if (site === undefined || client === undefined) return undefined
  if (property.siteIds !== null && !property.siteIds.has(site.id)) return undefined
  const { deepSites, pinned } = snapshot.topology
  if (deepSites.length > 0 && pinned.find(client) !== undefined) return undefined
  // Without congestion it costs nothing, which is what no other site can do.
  const { doubt, load, room, fit } = loadedTotalsOf(site, query)
  if (doubt !== 0 || load > CONGESTION_FROM * room) return undefined
  return preferredEdge(fit, site, query)
}

function preferredEdge(fit: readonly Standing[], site: SiteView, query: ChoiceQuery): EdgeView | undefined {
  const { key, demand, nowMs } = query
  let best: Standing | undefined
  let bestScore = -1
  let leastCapacity = Infinity
  for (const standing of fit) {
    const { edge } = standing
    leastCapacity = Math.min(leastCapacity, standing.capacity)
    const score = scoreOf(key, edge.hash, standing.weight)
    if (best === undefined || score > bestScore || isTieWon(edge, score, best, bestScore)) {
      best = standing
      bestScore = score
    }
  }
  if (best === undefined || best.overloaded) return undefined
  // On one edge alone: of a hot asset each client has its own.
  if (demand.assetRate(key, site, nowMs) > HOT_ASSET_RATE) return undefined
  if (demand.assetBitRate(key, site, nowMs) >= HOT_ASSET_SHARE * leastCapacity) return undefined
  return isAboveShare(best, fit, query) ? undefined : best.edge
}

function isTieWon(edge: EdgeView, score: number, best: Standing, bestScore: number): boolean {
  if (score !== bestScore) return false
  return compareClaims({ id: edge.id, score }, { id: best.edge.id, score: bestScore }) < 0
}

function isAboveShare(standing: Standing, fit: readonly Standing[], query: ChoiceQuery): boolean {
  const { edge, weight, ramp } = standing
  const claimed = { edge, weight, ramp, utilisation: utilisationOf(standing, query) }
  // Mostly it is hardly loaded, whatever its neighbours are.
  if (isHardlyLoaded(claimed)) return false
  let load = 0
  let weights = 0
  for (const other of fit) {
    load += utilisationOf(other, query) * other.edge.bandwidth
    weights += other.weight * other.ramp
  }
  return isOverShare(claimed, load, weights)
}
