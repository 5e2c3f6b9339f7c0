// Nearest, unless a reason is on record: where a client should go by the simulator's own distances, and whether each
// site that was passed over on the way was so for something that is true.
import type { WeighedSite } from '../../scheduler/choose/sites.ts'
import { hasExcuse } from './decided.ts'
import type { ChecksParts, Decided } from './decided.ts'
import type { SimEdge } from './fleet.ts'
import { kilometres } from './globe.ts'
import { Histogram } from './statistics.ts'
import { EDGES_PER_SITE } from './world.ts'
import type { City } from './world.ts'

/** Why a client went past its nearest site; the last reason on its way counts. */
export const AWAY_REASONS = ['property', 'edges', 'congestion'] as const
export type AwayReason = (typeof AWAY_REASONS)[number]

/** What is on record as full is at least so full, or has edges that are not what they were. */
const FULL_FROM = 0.6

/** Places this near to each other are one: steering rounds nothing, but a haversine is not an arc cosine. */
const SAME_KM = 1

export class Nearness {
  readonly #parts: ChecksParts
  readonly away: Record<AwayReason, number> = { property: 0, edges: 0, congestion: 0 }
  /** How much farther than the nearest, of those that went past it for congestion. */
  readonly detourKm = new Histogram(10_000)
  home = 0

  constructor(parts: ChecksParts) {
    this.#parts = parts
  }

  /** Undefined when all is well. */
  problemOf(decided: Decided, edge: SimEdge): string | undefined {
    const { client } = decided
    if (client.home.includes(edge.city) || (client.pinned && edge.view.pinned !== null)) {
      this.home += 1
      return undefined
    }
    const { cities } = this.#parts
    const first = cities[client.home[0] ?? -1]
    const chosen = cities[edge.city]
    if (first === undefined || chosen === undefined) return 'a site that is not there'
    // Who is placed by an operator's word, or by none, is where that site is.
    const from = client.declared || client.position === undefined ? first : client.position
    const farKm = kilometres(from, chosen)
    let last: AwayReason = 'property'
    for (const city of cities) {
      const isHome = client.home.includes(city.index)
      if (!isHome && kilometres(from, city) > farKm - SAME_KM) continue
      const reason = this.#reasonFor(decided, city)
      if (reason === undefined) return `${city.id} is nearer, and no reason is true`
      if (AWAY_REASONS.indexOf(reason) > AWAY_REASONS.indexOf(last)) last = reason
    }
    this.away[last] += 1
    if (last === 'congestion') this.detourKm.add(farKm - kilometres(from, first))
    return undefined
  }

  #reasonFor(decided: Decided, city: City): AwayReason | undefined {
    if (decided.asset.property === 'regional' && !city.regional) return 'property'
    const { weighing } = decided.steered
    const weighed = weighing?.sites.find(({ site, role }) => site.id === city.id && role !== 'pinned')
    if (weighed === undefined || weighing === undefined) return undefined
    if (weighed.verdict === 'costlier') {
      return this.#isFull(weighed, weighing.chosen, decided, city) ? 'congestion' : undefined
    }
    const hasNone = this.#edgesOf(city).every((edge) => hasExcuse(edge, decided))
    return hasNone ? 'edges' : undefined
  }

  #isFull(
    { congestionMs, costMs }: WeighedSite,
    chosen: WeighedSite | undefined,
    decided: Decided,
    city: City,
  ): boolean {
    if (congestionMs <= 0 || chosen === undefined || costMs < chosen.costMs) return false
    return (
      this.#parts.utilisationOf(city.index) > FULL_FROM ||
      this.#edgesOf(city).some((edge) => hasExcuse(edge, decided))
    )
  }

  #edgesOf({ index }: City): readonly SimEdge[] {
    return this.#parts.fleet.slice(index * EDGES_PER_SITE, (index + 1) * EDGES_PER_SITE)
  }
}
