// Which of some sites is nearest to a position. Clients of one city share the position that was read for it, so what was
// found for a position is kept as long as that is: with a thousand sites the search takes longer than all else.
import type { Position } from '../../src/geo/place.ts'
import type { SiteView } from '../topology.ts'
import { directionOf, nearness } from './sphere.ts'

/** List of sites → position → the nearest of them; both are made once and never changed. */
const found = new WeakMap<readonly SiteView[], WeakMap<Position, SiteView>>()
/** Most clients are looked for in the same list, that of all sites. */
let last: { sites: readonly SiteView[]; known: WeakMap<Position, SiteView> } | undefined

/** Undefined when no site has a location. */
export function nearestSite(sites: readonly SiteView[], position: Position): SiteView | undefined {
  const known = last?.sites === sites ? last.known : knownOf(sites)
  const site = known.get(position)
  if (site !== undefined) return site
  const nearest = searchNearest(sites, position)
  if (nearest !== undefined) known.set(position, nearest)
  return nearest
}

function knownOf(sites: readonly SiteView[]): WeakMap<Position, SiteView> {
  const known = found.get(sites) ?? new WeakMap<Position, SiteView>()
  found.set(sites, known)
  last = { sites, known }
  return known
}

function searchNearest(sites: readonly SiteView[], position: Position): SiteView | undefined {
  const direction = directionOf(position)
  let nearest: SiteView | undefined
  let best = -2
  for (const site of sites) {
    const value = nearness(direction, site.direction)
    if (value > best) {
      best = value
      nearest = site
    }
  }
  return nearest
}
