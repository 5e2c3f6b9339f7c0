// Which sites the operator gives which clients to: by network, by the number of the network (ASN), by country. Built
// once from the configuration. Of 100,000 networks most belong to a few sites: equal lists of sites are one list.
import type { SchedulerSettings } from '../../src/config/scheduler-schema.ts'
import { buildCidrTree } from '../../src/net/cidr-tree.ts'
import type { CidrTree } from '../../src/net/cidr-tree.ts'
import { parseNetwork } from '../../src/net/ip.ts'
import type { IpNetwork } from '../../src/net/ip.ts'
import type { SiteView } from '../topology.ts'

/** Sites in configured order, never empty. */
export type CoveringSites = readonly SiteView[]

export interface Coverage {
  readonly networks: CidrTree<CoveringSites>
  readonly asns: ReadonlyMap<number, CoveringSites>
  readonly countries: ReadonlyMap<string, CoveringSites>
}

/** Takes settings that were checked: a network that does not parse is a bug by now. */
export function buildCoverage(
  settings: SchedulerSettings['sites'],
  siteOf: ReadonlyMap<string, SiteView>,
): Coverage {
  const lists = new SiteLists()
  const networks = new Map<number | string, { network: IpNetwork; value: CoveringSites }>()
  const asns = new Map<number, CoveringSites>()
  const countries = new Map<string, CoveringSites>()
  for (const { id, coverage } of settings) {
    const site = siteOf.get(id)
    if (site === undefined) continue
    for (const text of coverage.networks) {
      const network = checkedNetwork(text)
      const key = keyOf(network)
      // One network may belong to several sites: its clients are spread over them.
      networks.set(key, { network, value: lists.with(networks.get(key)?.value, site) })
    }
    for (const asn of coverage.asns) asns.set(asn, lists.with(asns.get(asn), site))
    for (const country of coverage.countries) countries.set(country, lists.with(countries.get(country), site))
  }
  return { networks: buildCidrTree(networks.values()), asns, countries }
}

/** Lists of sites, each made once. */
class SiteLists {
  readonly #longer = new Map<CoveringSites | undefined, Map<SiteView, CoveringSites>>()

  /** The list with the site at its end, unless it is in it. */
  with(list: CoveringSites | undefined, site: SiteView): CoveringSites {
    if (list?.includes(site) === true) return list
    const longer = this.#longer.get(list) ?? new Map<SiteView, CoveringSites>()
    this.#longer.set(list, longer)
    const made = longer.get(site) ?? [...(list ?? []), site]
    longer.set(site, made)
    return made
  }
}

/** Equal for equal networks. */
function keyOf(network: IpNetwork): number | string {
  const { address, prefixLength } = network
  if (address.family === 4) return address.d * 64 + prefixLength
  return `${address.a} ${address.b} ${address.c} ${address.d} ${prefixLength}`
}

function checkedNetwork(text: string): IpNetwork {
  const network = parseNetwork(text)
  if (network === undefined) throw new Error(`${text} is not a network`)
  return network
}
