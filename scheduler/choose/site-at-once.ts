// The site that nearly all clients get, found without weighing any: the nearest of those that may serve the property,
// which costs nothing more while it has room. It is the site that `weighSites` would choose, or none.
import { CONGESTION_FROM } from '../limits.ts'
import type { ClientLocation } from '../locate/locate.ts'
import type { SiteView } from '../topology.ts'
import type { ChoiceQuery } from './candidates.ts'
import { loadAt, siteTotalsOf } from './site-totals.ts'
import { distancesBehind, orderSites } from './sites.ts'

/** undefined: sites must be weighed. */
export function siteAtOnce(location: ClientLocation, query: ChoiceQuery): SiteView | undefined {
  const { client, snapshot } = query
  const { deepSites, pinned } = snapshot.topology
  if (client === undefined) return undefined
  if (deepSites.length > 0 && pinned.find(client) !== undefined) return undefined
  const site = nearestPermitted(location, query)
  if (site === undefined) return undefined
  const totals = siteTotalsOf(site, query)
  const hasRoom = totals.doubt === 0 && loadAt(site, totals, query) <= CONGESTION_FROM * totals.room
  return hasRoom ? site : undefined
}

/** The located site; where the property is not served there, the nearest to it that serves it. */
function nearestPermitted(location: ClientLocation, query: ChoiceQuery): SiteView | undefined {
  const { siteIds } = query.property
  const [located, second] = location.sites
  if (located === undefined || siteIds === null || siteIds.has(located.id)) return located
  // Of an area that is spread over several sites the others come before all neighbours.
  return second === undefined ? nearestNeighbour(location, query, siteIds) : undefined
}

/** Of neighbours as far away as each other the first, as when they are weighed. */
function nearestNeighbour(
  location: ClientLocation,
  query: ChoiceQuery,
  siteIds: ReadonlySet<string>,
): SiteView | undefined {
  const order = orderSites(location, query)
  const distances = distancesBehind(order)
  const { neighbours } = order.anchor
  let nearest: SiteView | undefined
  let leastMs = Infinity
  for (let i = 0; i < neighbours.count && distances.atLeast(i) < leastMs; i++) {
    const site = neighbours.site(i)
    if (site === undefined || !siteIds.has(site.id)) continue
    const distanceMs = distances.of(i)
    if (distanceMs >= leastMs) continue
    nearest = site
    leastMs = distanceMs
  }
  return nearest
}
