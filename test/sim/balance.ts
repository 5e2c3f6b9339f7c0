// How evenly a site's load lies on its edges, each second: the Gini coefficient of their utilisation, and how long after
// an event it takes to be even again.
import type { SimEdge } from './fleet.ts'
import { isTroubled } from './fleet.ts'
import { gini, Histogram } from './statistics.ts'
import type { Violations } from './violations.ts'
import { EDGES_PER_SITE } from './world.ts'
import type { City } from './world.ts'

export const GINI_MAX = 0.15
const LOADED_FROM = 0.3

/**
 * An event upsets a site for so long at most, from its end or from when its edges are trusted again: a returning one
 * ramps up for 30 s, and sessions that others took meanwhile stay where they are until they end.
 */
export const SETTLED_AFTER_MS = 30_000

/** Upper ends, in seconds since the site's last event; the last is open. */
export const CALM_CLASSES = [5, 10, 20, 30, 45, 60, 90, Infinity]

export class Balance {
  readonly #cities: readonly City[]
  readonly #fleet: readonly SimEdge[]
  readonly #violations: Violations
  readonly #isTrusted: (edge: SimEdge) => boolean
  /** By city. */
  readonly #disturbedMs: Float64Array
  /** Of sites that no event touched in the whole run so far. */
  readonly untouched = new Histogram(1)
  /** By CALM_CLASSES. */
  readonly after: readonly Histogram[] = CALM_CLASSES.map(() => new Histogram(1))
  readonly siteUse = new Histogram(2)

  /** `isTrusted`: schedulers take it for good; one that is suspect for a reason on record has no share. */
  constructor(
    cities: readonly City[],
    fleet: readonly SimEdge[],
    violations: Violations,
    isTrusted: (edge: SimEdge) => boolean,
  ) {
    this.#isTrusted = isTrusted
    this.#cities = cities
    this.#fleet = fleet
    this.#violations = violations
    this.#disturbedMs = new Float64Array(cities.length).fill(-Infinity)
  }

  /** Of what the edges that are open can send. */
  utilisationOf(city: number): number {
    const open = this.#openEdgesOf(city)
    const room = open.reduce((sum, { view, weight }) => sum + view.bandwidth * weight, 0)
    return room === 0 ? 0 : open.reduce((sum, { bits }) => sum + bits, 0) / room
  }

  /** Something happens to the city that is not seen at its edges. */
  disturb(city: number, nowMs: number): void {
    this.#disturbedMs[city] = nowMs
  }

  /** Whether nothing happened to the city for long enough. */
  isUntouched(city: number, nowMs: number): boolean {
    return nowMs - this.#eventMs(city) >= SETTLED_AFTER_MS
  }

  /** Once a second. */
  look(nowMs: number): void {
    for (const { index, id } of this.#cities) {
      if (!this.#edgesOf(index).every(this.#isTrusted)) this.disturb(index, nowMs)
      const use = this.utilisationOf(index)
      this.siteUse.add(use)
      if (use >= LOADED_FROM) this.#judge(index, id, nowMs)
    }
  }

  #eventMs(city: number): number {
    const disturbedMs = this.#disturbedMs[city] ?? -Infinity
    return this.#edgesOf(city).reduce((last, edge) => Math.max(last, edge.changedMs), disturbedMs)
  }

  #edgesOf(city: number): readonly SimEdge[] {
    return this.#fleet.slice(city * EDGES_PER_SITE, (city + 1) * EDGES_PER_SITE)
  }

  #openEdgesOf(city: number): readonly SimEdge[] {
    return this.#edgesOf(city).filter((edge) => edge.view.pinned === null && isOpen(edge))
  }

  #judge(city: number, id: string, nowMs: number): void {
    const calmMs = nowMs - this.#eventMs(city)
    // Those of one address family have what clients of that family bring them.
    const edges = this.#openEdgesOf(city).filter(
      (edge) => edge.view.families[4] && edge.view.families[6] && this.#isTrusted(edge),
    )
    const uses = edges.map(({ bits, view, weight }) => bits / (view.bandwidth * weight))
    const weights = edges.map(({ view, weight }) => view.bandwidth * weight)
    const inequality = gini(uses, weights)
    if (calmMs === Infinity) this.untouched.add(inequality)
    else this.after[CALM_CLASSES.findIndex((seconds) => calmMs < seconds * 1000)]?.add(inequality)
    if (calmMs < SETTLED_AFTER_MS || inequality < GINI_MAX) return
    this.#violations.add('imbalance', nowMs, () => {
      const each = edges.map(({ view }, i) => `${view.id} ${(uses[i] ?? 0).toFixed(2)}`).join(', ')
      const calm = calmMs === Infinity ? 'from the start' : `for ${Math.round(calmMs / 1000)} s`
      return `Gini ${inequality.toFixed(3)} at ${id}, calm ${calm}: ${each}`
    })
  }
}

/** Takes its share of clients. */
function isOpen(edge: SimEdge): boolean {
  const { troubles, weight } = edge
  if (!isTroubled(edge)) return true
  const { off, hung, link, draining } = troubles
  return off + hung + link + draining === 0 && weight > 0
}
