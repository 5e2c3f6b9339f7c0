// What a scheduler knows of demand, from its own decisions and from what edges report they send: an input of the next
// decisions, beside the snapshot. Two schedulers with the same snapshot and the same demand decide alike.
import { SESSION_BIT_RATE } from '../limits.ts'
import type { Snapshot } from '../snapshot.ts'
import { placesBefore } from '../places-before.ts'
import type { EdgeView, PropertyView, SiteView, Topology } from '../topology.ts'
import { AssetRates } from './asset-rates.ts'
import { ExpectedLoad } from './expected-load.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import { ReportedRates } from './reported-rates.ts'

export interface Demand {
  /** Sessions assigned to the edge of that `EdgeView.index` that its reports do not show yet. */
  sessionsOn(edgeIndex: number, nowMs: number): number
  /** The same for all edges of a site. */
  sessionsAt(site: SiteView, nowMs: number): number
  /** Decisions a second for an asset at a site. */
  assetRate(key: Hash64, site: SiteView, nowMs: number): number
  /** Bits a second that the edges of a site report of an asset. */
  assetBitRate(key: Hash64, site: SiteView, nowMs: number): number
  /** Bits a second of a capped property: what edges report, and what sessions assigned since are expected to take. */
  propertyBitRate(property: PropertyView, nowMs: number): number
}

export const NO_DEMAND: Demand = {
  sessionsOn: () => 0,
  sessionsAt: () => 0,
  assetRate: () => 0,
  assetBitRate: () => 0,
  propertyBitRate: () => 0,
}

interface Asset {
  readonly key: Hash64
  readonly property: PropertyView
}

/** How many are configured. Sites: left out, no more than edges. */
export interface DemandSize {
  readonly edges: number
  readonly sites?: number
  readonly properties?: number
}

export class DemandTracker implements Demand {
  /** Of edges, then of sites, then of properties: all of them fade by one factor. */
  #expected: ExpectedLoad
  readonly #sitesFrom: number
  readonly #propertiesFrom: number
  #rates = new AssetRates()
  readonly #reported = new ReportedRates()

  constructor({ edges, sites = edges, properties = 0 }: DemandSize) {
    this.#expected = new ExpectedLoad(edges + sites + properties)
    this.#sitesFrom = edges
    this.#propertiesFrom = edges + sites
  }

  static of(topology: Topology): DemandTracker {
    const { edges, sites, allProperties } = topology
    return new DemandTracker({
      edges: edges.length,
      sites: sites.length,
      properties: allProperties.length,
    })
  }

  /** The same demand in a changed configuration. What edges report, it has to hear again. */
  movedTo(after: Topology, before: Topology): DemandTracker {
    const moved = DemandTracker.of(after)
    moved.#expected = this.#expected.movedTo([
      ...placesBefore(after.edges, before.edges),
      ...placesBefore(after.sites, before.sites).map(behind(this.#sitesFrom)),
      ...placesBefore(after.allProperties, before.allProperties).map(behind(this.#propertiesFrom)),
    ])
    // By hashes of assets and sites: nobody's place.
    moved.#rates = this.#rates
    return moved
  }

  /** A client was sent to this edge for this asset. An asset that is hot in one place is not so in another. */
  note({ key, property }: Asset, site: SiteView, edge: EdgeView, nowMs: number): void {
    this.#expected.note(edge.index, nowMs)
    this.#expected.note(this.#sitesFrom + site.index, nowMs)
    this.#expected.note(this.#propertiesFrom + property.index, nowMs)
    this.#rates.note(key.hi ^ site.hash.hi, key.lo ^ site.hash.lo, nowMs)
  }

  /** Reports have come. */
  hear(snapshot: Snapshot, nowMs: number): void {
    this.#reported.take(snapshot, nowMs)
  }

  sessionsOn(edgeIndex: number, nowMs: number): number {
    return this.#expected.sessionsOn(edgeIndex, nowMs)
  }

  sessionsAt(site: SiteView, nowMs: number): number {
    return this.#expected.sessionsOn(this.#sitesFrom + site.index, nowMs)
  }

  assetRate(key: Hash64, site: SiteView, nowMs: number): number {
    return this.#rates.rateOf(key.hi ^ site.hash.hi, key.lo ^ site.hash.lo, nowMs)
  }

  assetBitRate(key: Hash64, site: SiteView, nowMs: number): number {
    return this.#reported.assetBitRate(key.hi ^ site.hash.hi, key.lo ^ site.hash.lo, nowMs)
  }

  propertyBitRate(property: PropertyView, nowMs: number): number {
    const expected = this.#expected.sessionsOn(this.#propertiesFrom + property.index, nowMs)
    return this.#reported.propertyBitRate(property) + expected * SESSION_BIT_RATE
  }
}

/** Places behind `first` others. */
function behind(first: number): (place: number | undefined) => number | undefined {
  return (place) => (place === undefined ? undefined : first + place)
}
