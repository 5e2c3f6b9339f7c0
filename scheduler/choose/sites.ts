// Which site serves a client: that of least cost (cost.ts) among those with an edge that may take it. Sites are weighed
// from the likely ones outwards, and no further than one could still be cheaper: mostly one site is all.
import {
  COVERAGE_ADVANTAGE_MS,
  LOCATED_STEPS_MS_MAX,
  LOCATED_STEP_MS,
  PINNED_ADVANTAGE_MS,
} from '../limits.ts'
import type { ClientLocation } from '../locate/locate.ts'
import { directionOf, nearness } from '../locate/sphere.ts'
import type { Position } from '../../src/geo/place.ts'
import type { EdgeView, SiteView } from '../topology.ts'
import { DOUBTS, fitEdgesOf, totalsOf } from './candidates.ts'
import type { ChoiceQuery, FitEdges } from './candidates.ts'
import { congestionMs, roundTripMs, sensitivityOf } from './cost.ts'
import { loadedTotalsOf } from './site-totals.ts'

/** pinned: it has deep edges for the client. located: coverage, GeoIP or the default names it. */
export type SiteRole = 'pinned' | 'located' | 'other'

/** A site, or its deep edges, in the order in which sites are weighed. */
export interface SiteOption {
  readonly site: SiteView
  readonly role: SiteRole
  /** What it costs when it is empty. */
  readonly distanceMs: number
}

/** All other sites, by distance. */
export interface OrderBehind {
  /** The first located site. */
  readonly anchor: SiteView
  /** The client's, where it was located by that; else the rest is by distance from the anchor. */
  readonly position: Position | undefined
  /** Added to the distance of all of them. */
  readonly behindMs: number
}

/** Where the client may go. `front` is small. */
export interface SiteOrder extends OrderBehind {
  readonly front: readonly SiteOption[]
}

export type SiteVerdict = 'chosen' | 'costlier' | 'last-resort' | 'no-fit-edge'

export interface WeighedSite extends SiteOption {
  /** Of what its fit edges can send; 0 when it has none. */
  readonly utilisation: number
  readonly congestionMs: number
  /** Infinite when no edge may take the client. */
  readonly costMs: number
  verdict: SiteVerdict
}

export interface Weighing {
  /** In the order in which they were weighed. */
  readonly sites: readonly WeighedSite[]
  readonly chosen: WeighedSite | undefined
  /** The edges of the chosen one. */
  readonly fit: FitEdges
}

export function orderSites(location: ClientLocation, query: ChoiceQuery): SiteOrder {
  const { snapshot, client } = query
  const front: SiteOption[] = []
  const pinnedAt = client === undefined ? undefined : snapshot.topology.pinned.find(client)?.value
  for (const site of pinnedAt ?? []) front.push({ site, role: 'pinned', distanceMs: -PINNED_ADVANTAGE_MS })
  location.sites.forEach((site, i) => {
    front.push({ site, role: 'located', distanceMs: locatedPlaceMs(i) })
  })
  return { front, ...orderBehind(location, query) }
}

/** How far the located site of that place is. */
export function locatedPlaceMs(place: number): number {
  return Math.min(place * LOCATED_STEP_MS, LOCATED_STEPS_MS_MAX)
}

export function orderBehind(location: ClientLocation, { snapshot }: ChoiceQuery): OrderBehind {
  const anchor = location.sites[0] ?? snapshot.topology.defaultSite
  return { anchor, position: location.position, behindMs: behindMsOf(location) }
}

/** Only what the operator or a country declares makes a site near that is not: a position is measured. */
export function behindMsOf({ source }: Pick<ClientLocation, 'source'>): number {
  return source === 'geoip-position' || source === 'default' ? 0 : COVERAGE_ADVANTAGE_MS
}

export function isForProperty({ id }: SiteView, { property: { siteIds } }: ChoiceQuery): boolean {
  return siteIds === null || siteIds.has(id)
}

/** `taken`: options that are not to be weighed again. */
export function weighSites(
  order: SiteOrder,
  query: ChoiceQuery,
  taken: readonly SiteOption[] = [],
): Weighing {
  const { front } = order
  const scale = new Scale(query, taken)
  for (const option of front) scale.weigh(option)
  // Mostly here is the end: no other site is nearer than this.
  if (!scale.isBeaten(order.behindMs)) weighOthers(order, scale)
  if (!scale.hasGoodSite) weighOtherDeepSites(front, query, scale)
  return scale.result()
}

function weighOthers(order: SiteOrder, scale: Scale): void {
  const { neighbours } = order.anchor
  const distances = distancesBehind(order)
  for (let i = 0; i < neighbours.count; i++) {
    const site = neighbours.site(i)
    if (site === undefined) break
    if (!isForProperty(site, scale.query)) continue
    // The least never falls: no site from here on can be cheaper.
    if (scale.isBeaten(distances.atLeast(i))) break
    if (!isLocated(order.front, site)) scale.weigh({ site, role: 'other', distanceMs: distances.of(i) })
  }
}

/** Of the neighbours of `anchor`, by their place there: how much farther than the located one. */
export interface Distances {
  of(i: number): number
  /** Never more than that, and never falling. */
  atLeast(i: number): number
}

/** Measured from the client where its position is known: two sites as far from the located one are not as far from it. */
export function distancesBehind({ anchor, position, behindMs }: OrderBehind): Distances {
  const { neighbours } = anchor
  if (position === undefined) {
    const of = (i: number) => behindMs + neighbours.roundTripMs(i)
    return { of, atLeast: of }
  }
  const direction = directionOf(position)
  const locatedMs = roundTripMs(nearness(direction, anchor.direction))
  return {
    of: (i) =>
      behindMs + Math.max(0, roundTripMs(nearness(direction, neighbours.site(i)?.direction)) - locatedMs),
    // From the client to a site is no less than from the located one there, less the way to that.
    atLeast: (i) => behindMs + neighbours.roundTripMs(i) - 2 * locatedMs,
  }
}

/** Deep edges of a wider network than the one that put sites in front: the client is theirs as well. */
function weighOtherDeepSites(front: readonly SiteOption[], query: ChoiceQuery, scale: Scale): void {
  for (const site of query.snapshot.topology.deepSites) {
    const known = front.some((option) => option.site === site && option.role === 'pinned')
    if (!known) scale.weigh({ site, role: 'pinned', distanceMs: -PINNED_ADVANTAGE_MS })
  }
}

/** The cheapest site so far, and beside it the least doubtful of those that are a last resort. */
class Scale {
  readonly query: ChoiceQuery
  readonly #taken: readonly SiteOption[]
  readonly #sites: WeighedSite[] = []
  #best: WeighedSite | undefined
  #resort: WeighedSite | undefined
  #resortDoubt: number = DOUBTS.length

  constructor(query: ChoiceQuery, taken: readonly SiteOption[]) {
    this.query = query
    this.#taken = taken
  }

  /** One with an edge that nothing speaks against. */
  get hasGoodSite(): boolean {
    return this.#best !== undefined
  }

  isBeaten(distanceMs: number): boolean {
    return this.#best !== undefined && distanceMs >= this.#best.costMs
  }

  weigh(option: SiteOption): void {
    const { site, role, distanceMs } = option
    if (this.isBeaten(distanceMs)) return
    if (this.#taken.length > 0 && this.#isTaken(option)) return
    if (!isForProperty(site, this.query)) return
    const { doubt, load, room } =
      role === 'pinned' ? totalsOf(site.deep, this.query) : loadedTotalsOf(site, this.query)
    const utilisation = room === 0 ? 0 : load / room
    const penaltyMs = congestionFor(site, utilisation, this.query)
    const fit = doubt < DOUBTS.length
    const weighed: WeighedSite = {
      site,
      role,
      distanceMs,
      utilisation,
      congestionMs: penaltyMs,
      costMs: fit ? distanceMs + penaltyMs : Infinity,
      verdict: fit ? (doubt === 0 ? 'costlier' : 'last-resort') : 'no-fit-edge',
    }
    this.#sites.push(weighed)
    if (!fit) return
    if (doubt > 0) this.#keepResort(weighed, doubt)
    else if (this.#best === undefined || weighed.costMs < this.#best.costMs) this.#best = weighed
  }

  /** The deep edges of a site and its others are two options. */
  #isTaken({ site, role }: SiteOption): boolean {
    return this.#taken.some(
      (option) => option.site === site && (option.role === 'pinned') === (role === 'pinned'),
    )
  }

  #keepResort(weighed: WeighedSite, doubt: number): void {
    if (doubt > this.#resortDoubt) return
    if (doubt === this.#resortDoubt && weighed.costMs >= (this.#resort?.costMs ?? Infinity)) return
    this.#resort = weighed
    this.#resortDoubt = doubt
  }

  result(): Weighing {
    const chosen = this.#best ?? this.#resort
    if (chosen !== undefined) chosen.verdict = 'chosen'
    const doubt = this.#best === undefined ? this.#resortDoubt : 0
    const fit = fitEdgesOf(chosen === undefined ? [] : edgesAt(chosen), this.query, doubt)
    return { sites: this.#sites, chosen, fit }
  }
}

/** What so full a site costs this asset on top of its distance, ms. */
export function congestionFor(site: SiteView, utilisation: number, { key }: ChoiceQuery): number {
  const penaltyMs = congestionMs(utilisation)
  return penaltyMs === 0 ? 0 : penaltyMs * sensitivityOf(key, site.hash)
}

/** Those of its edges that the option is about. */
export function edgesAt({ site, role }: SiteOption): readonly EdgeView[] {
  return role === 'pinned' ? site.deep : site.ordinary
}

function isLocated(front: readonly SiteOption[], site: SiteView): boolean {
  return front.some((option) => option.site === site && option.role === 'located')
}
