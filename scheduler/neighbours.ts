// All sites as seen from one, nearest first. Every site has such an order of all others: with thousands of sites that is
// what a scheduler holds most of, so a site takes two bytes in it, and the round trip to it two more. Each is made when it
// is first looked at: all at once would keep clients waiting whenever the configuration changes.
import { roundTripMs } from './choose/cost.ts'
import { nearness } from './locate/sphere.ts'
import type { SiteView } from './topology.ts'

export interface Neighbours {
  readonly count: number
  /** The one seen from is first; those without a location are last, in configured order. */
  site(i: number): SiteView | undefined
  /** The estimated round trip to that site, to a 64th below: 0 to the first, never falling. */
  roundTripMs(i: number): number
}

/** Places of sites up to here fit two bytes. */
const SHORT_MAX = 2 ** 16
/** Steps a millisecond: the longest round trip, and one that is not known, fit two bytes. */
const STEPS = 64

export function neighboursOf(from: SiteView, sites: readonly SiteView[]): Neighbours {
  let made: Order | undefined
  const order = () => (made ??= orderFrom(from, sites))
  return {
    count: sites.length,
    site: (i) => sites[order().places[i] ?? sites.length],
    roundTripMs: (i) => (order().steps[i] ?? 0) / STEPS,
  }
}

interface Order {
  readonly places: Uint16Array | Uint32Array
  readonly steps: Uint16Array
}

function orderFrom(from: SiteView, sites: readonly SiteView[]): Order {
  const places = placesByDistance(from, sites)
  const steps = Uint16Array.from(places, (place, i) =>
    i === 0 ? 0 : STEPS * roundTripMs(nearness(from.direction, sites[place]?.direction)),
  )
  return { places, steps }
}

/** A function of its own: what the order is made from is then not kept beside it. */
function placesByDistance(from: SiteView, sites: readonly SiteView[]): Uint16Array | Uint32Array {
  const near = Float64Array.from(sites, (site) => nearness(from.direction, site.direction))
  // Itself before all others, also before one at the same place.
  near[sites.indexOf(from)] = Infinity
  const places = (sites.length <= SHORT_MAX ? Uint16Array : Uint32Array).from(sites.keys())
  return places.toSorted((a, b) => (near[b] ?? 0) - (near[a] ?? 0) || a - b)
}
