// What a scheduler knows of its own decisions: an input of the next ones, beside the snapshot. Two schedulers with the
// same snapshot and the same demand decide alike.
import type { EdgeView, SiteView } from '../topology.ts'
import { AssetRates } from './asset-rates.ts'
import { ExpectedLoad } from './expected-load.ts'
import type { Hash64 } from './rendezvous.ts'

export interface Demand {
  /** Sessions assigned to the edge that its reports do not show yet. */
  sessionsOn(edge: EdgeView, nowMs: number): number
  /** Decisions a second for an asset at a site. */
  assetRate(key: Hash64, site: SiteView, nowMs: number): number
}

export const NO_DEMAND: Demand = { sessionsOn: () => 0, assetRate: () => 0 }

export class DemandTracker implements Demand {
  readonly #expected: ExpectedLoad
  readonly #rates = new AssetRates()

  constructor(edges: number) {
    this.#expected = new ExpectedLoad(edges)
  }

  /** A client was sent to this edge for this asset. */
  note(key: Hash64, site: SiteView, edge: EdgeView, nowMs: number): void {
    this.#expected.note(edge.index, nowMs)
    this.#rates.note(atSite(key, site), nowMs)
  }

  sessionsOn(edge: EdgeView, nowMs: number): number {
    return this.#expected.sessionsOn(edge.index, nowMs)
  }

  assetRate(key: Hash64, site: SiteView, nowMs: number): number {
    return this.#rates.rateOf(atSite(key, site), nowMs)
  }
}

/** An asset that is hot in one place is not so in another. */
function atSite(key: Hash64, site: SiteView): Hash64 {
  return { hi: key.hi ^ site.hash.hi, lo: key.lo ^ site.hash.lo }
}
