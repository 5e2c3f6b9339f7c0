// On how many of a site's edges an asset is: few while it is cold, more as it is asked for more, and few again after.
// Windows of ten seconds, over sites whose edges all were well in them.
import { Histogram } from './statistics.ts'
import type { Violations } from './violations.ts'
import { EDGES_PER_SITE } from './world.ts'

export const WINDOW_MS = 10_000

/** Requests for an asset at a site in a second: upper ends; the last is open. */
export const RATE_CLASSES = [0.5, 1, 5, 20, 50, Infinity]

/** Fewer say nothing of how many edges it is on. */
const ASKED_MIN = 3
/** Colder than this, an asset is on one edge, or on a few while one is above its share. */
const COLD_CLASS = 0
const COLD_EDGES = { median: 1, p95: 3 }

export class Placement {
  readonly #assets: number
  /** By city and asset: bits of edges, and how often it was asked for. */
  readonly #edges: Uint16Array
  readonly #asked: Uint16Array
  /** By RATE_CLASSES: edges that an asset is on. */
  readonly byRate: readonly Histogram[] = RATE_CLASSES.map(() => new Histogram(1000))

  constructor(cities: number, assets: number) {
    this.#assets = assets
    this.#edges = new Uint16Array(cities * assets)
    this.#asked = new Uint16Array(cities * assets)
  }

  note(edge: number, asset: number): void {
    const place = Math.floor(edge / EDGES_PER_SITE) * this.#assets + asset
    this.#edges[place] = (this.#edges[place] ?? 0) | (1 << (edge % EDGES_PER_SITE))
    this.#asked[place] = Math.min(0xffff, (this.#asked[place] ?? 0) + 1)
  }

  /** How many edges of the city the asset is on in this window so far. */
  edgesOf(city: number, asset: number): number {
    return bitsIn(this.#edges[city * this.#assets + asset] ?? 0)
  }

  /** A window ends; `isCalm` tells of which cities it counts. */
  close(isCalm: (city: number) => boolean): void {
    for (let place = 0; place < this.#asked.length; place += 1) {
      const asked = this.#asked[place] ?? 0
      if (asked < ASKED_MIN || !isCalm(Math.floor(place / this.#assets))) continue
      const rate = asked / (WINDOW_MS / 1000)
      this.byRate[RATE_CLASSES.findIndex((end) => rate < end)]?.add(bitsIn(this.#edges[place] ?? 0))
    }
    this.#edges.fill(0)
    this.#asked.fill(0)
  }

  check(nowMs: number, violations: Violations): void {
    const cold = this.byRate[COLD_CLASS]
    if (cold === undefined || cold.count === 0) return
    const [median, p95] = [cold.at(0.5), cold.at(0.95)]
    if (median <= COLD_EDGES.median && p95 <= COLD_EDGES.p95) return
    violations.add('scattered', nowMs, () => `cold assets are on ${median} edges, 95 % on at most ${p95}`)
  }
}

function bitsIn(mask: number): number {
  let count = 0
  for (let left = mask; left !== 0; left &= left - 1) count += 1
  return count
}
