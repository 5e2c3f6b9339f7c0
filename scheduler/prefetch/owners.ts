// Which edges get which URLs: of each site the one that steering prefers for the asset, so that content lies where viewers
// are sent. Configured weights alone count: an edge that is away gets its part when it is back. Pure.
import { compareClaims, scoreOf } from '../../src/rendezvous.ts'
import { assetHashOf, assetOf } from '../query.ts'
import type { EdgeView, PropertyView, SiteView, Topology } from '../topology.ts'

export class Owners {
  readonly #sites: readonly SiteView[]
  /** Property → its edges at each of the sites. */
  readonly #fit = new Map<string, readonly EdgesAtSite[]>()
  /** Of the last asset that was asked for: lists name one directory after the other. */
  #last: { property: string; asset: string; owners: readonly EdgeView[] } | null = null

  /** `sites`: ids; those that are configured no more are nobody's. */
  constructor(topology: Topology, sites: readonly string[]) {
    const wanted = new Set(sites)
    this.#sites = topology.sites.filter(({ id }) => wanted.has(id))
  }

  /** `path` without query. Empty when no edge of the sites may serve the property. */
  of(property: PropertyView, path: string): readonly EdgeView[] {
    const asset = assetOf(path)
    if (this.#last?.property === property.id && this.#last.asset === asset) return this.#last.owners
    const hash = assetHashOf(property, path)
    const owners = this.#edgesFor(property).flatMap(({ ordinary, deep }) => {
      const claims = ordinary.map((edge) => ({
        id: edge.id,
        edge,
        score: scoreOf(hash, edge.hash, edge.weight),
      }))
      const [best] = claims.toSorted(compareClaims)
      return best === undefined ? deep : deep.concat(best.edge)
    })
    this.#last = { property: property.id, asset, owners }
    return owners
  }

  #edgesFor(property: PropertyView): readonly EdgesAtSite[] {
    const known = this.#fit.get(property.id)
    if (known !== undefined) return known
    const fit = this.#sites
      .filter(({ id }) => property.siteIds?.has(id) ?? true)
      .map(({ ordinary, deep }) => ({
        ordinary: ordinary.filter((edge) => mayServe(edge, property)),
        // Each serves networks of its own, and nobody knows from which of them viewers will come.
        deep: deep.filter((edge) => mayServe(edge, property)),
      }))
    this.#fit.set(property.id, fit)
    return fit
  }
}

interface EdgesAtSite {
  readonly ordinary: readonly EdgeView[]
  readonly deep: readonly EdgeView[]
}

function mayServe({ capabilities }: EdgeView, property: PropertyView): boolean {
  return property.capabilities.every((name) => capabilities.has(name))
}
