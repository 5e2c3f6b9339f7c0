// The part of the snapshot that only a configuration changes: sites with their neighbours in order of
// distance, edges with their hashes and weights, properties, coverage. Built once, never changed.
import { compileAccess } from '../src/access/property-access.ts'
import type { PropertyAccess } from '../src/access/property-access.ts'
import type { PropertySettings } from '../src/config/property-schema.ts'
import type { SchedulerSettings } from '../src/config/scheduler-schema.ts'
import type { Position } from '../src/geo/place.ts'
import { buildCidrTree } from '../src/net/cidr-tree.ts'
import type { CidrTree } from '../src/net/cidr-tree.ts'
import { parseNetwork } from '../src/net/ip.ts'
import type { IpNetwork } from '../src/net/ip.ts'
import { hash64 } from './choose/rendezvous.ts'
import type { Hash64 } from './choose/rendezvous.ts'
import { directionOf, nearness } from './locate/sphere.ts'
import type { Direction } from './locate/sphere.ts'
import { buildPropertyIndex } from '../src/property-index.ts'
import type { PropertyIndex } from '../src/property-index.ts'

export interface EdgeView {
  /** Place in `Topology.edges`. */
  readonly index: number
  readonly id: string
  readonly hash: Hash64
  readonly siteId: string
  /** As a client is sent to it: no slash at the end. */
  readonly url: string
  /** Bits a second it can send: its share among the edges of its site. */
  readonly weight: number
  readonly keyHash: string
}

export interface SiteView {
  readonly id: string
  readonly hash: Hash64
  readonly direction: Direction | undefined
  readonly edges: readonly EdgeView[]
  /** Sum of the weights of its edges. */
  readonly weight: number
  /** Every site, this one first, then by distance; those without a location last, in configured order. */
  readonly byDistance: readonly SiteView[]
}

export interface PropertyView {
  readonly id: string
  readonly hosts: readonly string[]
  /** Web origins whose pages may read the answers. */
  readonly corsOrigins: readonly string[]
  readonly access: PropertyAccess
}

export interface Topology {
  readonly sites: readonly SiteView[]
  readonly edges: readonly EdgeView[]
  readonly edgesByKeyHash: ReadonlyMap<string, readonly EdgeView[]>
  readonly defaultSite: SiteView
  readonly properties: PropertyIndex<PropertyView>
  /** Client networks → the sites that cover them. */
  readonly networks: CidrTree<readonly SiteView[]>
  readonly countries: ReadonlyMap<string, readonly SiteView[]>
  readonly trustedProxies: CidrTree<true>
}

/** Takes settings that were checked: references that dangle or networks that do not parse are a bug by now. */
export function buildTopology(settings: SchedulerSettings): Topology {
  const edges = settings.edges.map((edge, index) => edgeView(edge, index))
  const sites = settings.sites.map((site) =>
    siteView(
      site.id,
      site.location,
      edges.filter((edge) => edge.siteId === site.id),
    ),
  )
  for (const site of sites) site.byDistance = sitesByDistance(site, sites)
  const siteOf = new Map<string, SiteView>(sites.map((site) => [site.id, site]))
  const defaultSite = siteOf.get(settings.defaultSite ?? settings.sites[0]?.id ?? '')
  if (defaultSite === undefined) throw new Error('the default site is not among the sites')
  return {
    sites,
    edges,
    edgesByKeyHash: Map.groupBy(edges, (edge) => edge.keyHash),
    defaultSite,
    properties: buildPropertyIndex(settings.properties.map(propertyView)),
    networks: networkTree(settings.sites, siteOf),
    countries: countryMap(settings.sites, siteOf),
    trustedProxies: buildCidrTree(
      settings.scheduler.trustedProxies.map((text) => ({ network: checkedNetwork(text), value: true })),
    ),
  }
}

/** The canonical text of a URL without its last slash, so that a path can follow. */
function redirectBase(url: string): string {
  return new URL(url).href.replace(/\/+$/, '')
}

function edgeView(edge: SchedulerSettings['edges'][number], index: number): EdgeView {
  return {
    index,
    id: edge.id,
    hash: hash64(edge.id),
    siteId: edge.site,
    url: redirectBase(edge.url),
    weight: edge.capacity.bandwidth,
    keyHash: edge.keyHash,
  }
}

function propertyView(property: PropertySettings): PropertyView {
  const { id, hosts, cors, access } = property
  return { id, hosts, corsOrigins: cors.origins, access: compileAccess({ id, hosts }, access) }
}

interface SiteInTheMaking extends SiteView {
  byDistance: readonly SiteView[]
}

function siteView(id: string, location: Position | undefined, edges: readonly EdgeView[]): SiteInTheMaking {
  const direction = location === undefined ? undefined : directionOf(location)
  const weight = edges.reduce((sum, edge) => sum + edge.weight, 0)
  return { id, hash: hash64(id), direction, edges, weight, byDistance: [] }
}

function sitesByDistance(from: SiteView, sites: readonly SiteView[]): SiteView[] {
  const others = sites
    .filter((site) => site !== from)
    .map((site) => ({ site, nearness: nearness(from.direction, site.direction) }))
    // Stable: sites equally far keep the configured order.
    .toSorted((a, b) => b.nearness - a.nearness)
  return [from, ...others.map((other) => other.site)]
}

function networkTree(
  sites: SchedulerSettings['sites'],
  siteOf: ReadonlyMap<string, SiteView>,
): CidrTree<readonly SiteView[]> {
  const covering = new Map<string, { network: IpNetwork; value: SiteView[] }>()
  for (const site of sites) {
    const view = siteOf.get(site.id)
    if (view === undefined) continue
    for (const text of site.coverage.networks) {
      const network = checkedNetwork(text)
      // One network may belong to several sites: its clients are spread over them.
      const key = `${Object.values(network.address).join()}/${network.prefixLength}`
      const entry = covering.get(key)
      if (entry === undefined) covering.set(key, { network, value: [view] })
      else if (!entry.value.includes(view)) entry.value.push(view)
    }
  }
  return buildCidrTree<readonly SiteView[]>(covering.values())
}

function countryMap(
  sites: SchedulerSettings['sites'],
  siteOf: ReadonlyMap<string, SiteView>,
): ReadonlyMap<string, readonly SiteView[]> {
  const countries = new Map<string, SiteView[]>()
  for (const site of sites) {
    const view = siteOf.get(site.id)
    if (view === undefined) continue
    for (const country of new Set(site.coverage.countries)) {
      countries.set(country, [...(countries.get(country) ?? []), view])
    }
  }
  return countries
}

function checkedNetwork(text: string): IpNetwork {
  const network = parseNetwork(text)
  if (network === undefined) throw new Error(`${text} is not a network`)
  return network
}
