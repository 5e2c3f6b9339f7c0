// The site that nearly all clients get, found without a list of those that were weighed: the one of least cost among
// those with an edge that nothing speaks against. It is the site that `weighSites` would choose, or none.
import type { ClientLocation } from '../locate/locate.ts'
import type { SiteView } from '../topology.ts'
import type { ChoiceQuery } from './candidates.ts'
import { loadAt, siteTotalsOf } from './site-totals.ts'
import {
  behindMsOf,
  congestionFor,
  distancesBehind,
  isForProperty,
  locatedPlaceMs,
  orderBehind,
} from './sites.ts'

/** undefined: sites must be weighed, for deep edges or as a last resort. */
export function siteAtOnce(location: ClientLocation, query: ChoiceQuery): SiteView | undefined {
  const { client, snapshot } = query
  const { deepSites, pinned } = snapshot.topology
  if (client === undefined) return undefined
  if (deepSites.length > 0 && pinned.find(client) !== undefined) return undefined
  let best: SiteView | undefined
  let leastMs = Infinity
  const { sites } = location
  for (let i = 0; i < sites.length; i++) {
    const site = sites[i]
    const distanceMs = locatedPlaceMs(i)
    if (distanceMs >= leastMs || site === undefined || !isForProperty(site, query)) continue
    const costMs = costOf(site, distanceMs, query)
    if (costMs >= leastMs) continue
    best = site
    leastMs = costMs
  }
  return leastMs <= behindMsOf(location) ? best : nearerNeighbour(location, query, best, leastMs)
}

/**
 * Whether `siteAtOnce` gives the only site that a client was located for, where no edges are deep ones: no other can be
 * cheaper. false: it must be asked.
 */
export function isSiteAtOnce(
  site: SiteView,
  location: Pick<ClientLocation, 'source'>,
  query: ChoiceQuery,
): boolean {
  return isForProperty(site, query) && costOf(site, locatedPlaceMs(0), query) <= behindMsOf(location)
}

/** One that costs less than `best`; without any, that. */
function nearerNeighbour(
  location: ClientLocation,
  query: ChoiceQuery,
  best: SiteView | undefined,
  bestMs: number,
): SiteView | undefined {
  const behind = orderBehind(location, query)
  const { neighbours } = behind.anchor
  const distances = distancesBehind(behind)
  let least = best
  let leastMs = bestMs
  for (let i = 0; i < neighbours.count; i++) {
    const site = neighbours.site(i)
    if (site === undefined) break
    if (!isForProperty(site, query)) continue
    // The least never falls: no site from here on can be cheaper.
    if (distances.atLeast(i) >= leastMs) break
    if (location.sites.includes(site)) continue
    const distanceMs = distances.of(i)
    if (distanceMs >= leastMs) continue
    const costMs = costOf(site, distanceMs, query)
    if (costMs >= leastMs) continue
    least = site
    leastMs = costMs
  }
  return least
}

/** Infinite where something speaks against each of its edges. */
function costOf(site: SiteView, distanceMs: number, query: ChoiceQuery): number {
  const totals = siteTotalsOf(site, query)
  if (totals.doubt !== 0) return Infinity
  const utilisation = totals.room === 0 ? 0 : loadAt(site, totals, query) / totals.room
  return distanceMs + congestionFor(site, utilisation, query)
}
