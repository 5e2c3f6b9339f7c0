// The part of the snapshot that only a configuration changes: sites with their neighbours in order of
// distance, edges with their hashes and weights, properties, coverage. Built once, never changed.
import { compileAccess } from '../src/access/property-access.ts'
import type { PropertyAccess } from '../src/access/property-access.ts'
import type { WarmSettings } from '../src/config/prefetch-schema.ts'
import type { ClusterPropertySettings, SchedulerSettings } from '../src/config/scheduler-schema.ts'
import type { FieldBlock } from '../src/http/fields.ts'
import type { Position } from '../src/geo/place.ts'
import { buildCidrTree } from '../src/net/cidr-tree.ts'
import type { CidrTree } from '../src/net/cidr-tree.ts'
import { formatNetwork, ipBytes, parseIp, parseNetwork } from '../src/net/ip.ts'
import type { IpAddress, IpNetwork } from '../src/net/ip.ts'
import { plainRedirectFields } from './answer/answer-fields.ts'
import { hash64 } from '../src/rendezvous.ts'
import type { Hash64 } from '../src/rendezvous.ts'
import { edgeAddressOf } from './edge-address.ts'
import type { EdgeAddress, RedirectForm } from './edge-address.ts'
import { buildCoverage } from './locate/coverage.ts'
import type { Coverage } from './locate/coverage.ts'
import { directionOf } from './locate/sphere.ts'
import type { Direction } from './locate/sphere.ts'
import { neighboursOf } from './neighbours.ts'
import type { Neighbours } from './neighbours.ts'
import { HostTable } from '../src/host-table.ts'
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
  readonly address: EdgeAddress
  /** Bits a second it can send. */
  readonly bandwidth: number
  readonly connectionsMax: number
  /** Its share among the edges of its site: bandwidth times the configured weight; 0 for none. */
  readonly weight: number
  /** What DNS would answer; empty where none are configured. */
  readonly addresses: readonly string[]
  /** Which clients its addresses can be reached by; both where none are configured. */
  readonly families: { readonly 4: boolean; readonly 6: boolean }
  /** Its addresses as DNS records hold them. */
  readonly addressData: { readonly 4: readonly Uint8Array[]; readonly 6: readonly Uint8Array[] }
  /** Of which it has a configured address. */
  readonly hasAddress: { readonly 4: boolean; readonly 6: boolean }
  readonly capabilities: ReadonlySet<string>
  /** Serves clients of these networks only; null for anybody. */
  readonly pinned: CidrTree<true> | null
  /** Whether the scheduler can be expected to reach it as its clients do. */
  readonly probed: boolean
  readonly keyHash: string
}

export interface SiteView {
  /** Place in `Topology.sites`. */
  readonly index: number
  readonly id: string
  readonly hash: Hash64
  readonly direction: Direction | undefined
  readonly edges: readonly EdgeView[]
  /** Those of its edges that serve anybody, and those pinned to networks. */
  readonly ordinary: readonly EdgeView[]
  readonly deep: readonly EdgeView[]
  /** Sum of the weights of its ordinary edges. */
  readonly weight: number
  readonly neighbours: Neighbours
}

export interface PropertyView {
  /** Place among the properties. */
  readonly index: number
  readonly id: string
  /** hash64 of the id. */
  readonly hash: Hash64
  /** The id as bytes. */
  readonly idBytes: Uint8Array
  readonly hosts: readonly string[]
  /** Web origins whose pages may read the answers. */
  readonly corsOrigins: readonly string[]
  readonly access: PropertyAccess
  /** Of every redirect, where they depend on nothing and nobody is judged first; else null. */
  readonly plainFields: FieldBlock | null
  /** The sites that may serve it; null for all. */
  readonly siteIds: ReadonlySet<string> | null
  /** What its edges must have. */
  readonly capabilities: readonly string[]
  /** The same number for properties that ask for the same; 0 for nothing. */
  readonly capabilitySet: number
  /** Where clients go that are too many; null: it has no cap. */
  readonly overflow: OverflowView | null
  /** How long a player keeps a steering list; null: its players ask for none. */
  readonly steeringTtlMs: number | null
  /** What its sites fetch before anybody asks. */
  readonly warm: readonly WarmSettings[]
}

export interface OverflowView {
  /** Bits a second on all edges together. */
  readonly above: number
  /** No slash at the end. */
  readonly to: string
}

export interface Topology {
  readonly sites: readonly SiteView[]
  readonly edges: readonly EdgeView[]
  readonly edgesById: ReadonlyMap<string, EdgeView>
  readonly edgesByKeyHash: ReadonlyMap<string, readonly EdgeView[]>
  readonly defaultSite: SiteView
  readonly properties: PropertyIndex<PropertyView>
  /** The same by Host as it stands in a head. */
  readonly hostTable: HostTable<PropertyView>
  /** By `PropertyView.index`. */
  readonly allProperties: readonly PropertyView[]
  /** Those with an overflow. */
  readonly capped: readonly PropertyView[]
  readonly coverage: Coverage
  /** Networks that edges are pinned to → the sites of those edges. */
  readonly pinned: CidrTree<readonly SiteView[]>
  readonly deepSites: readonly SiteView[]
  readonly trustedProxies: CidrTree<true>
}

/** Takes settings that were checked: references that dangle or networks that do not parse are a bug by now. */
export function buildTopology(settings: SchedulerSettings): Topology {
  const { redirect } = settings.scheduler.steering
  const capabilities = new Map<string, ReadonlySet<string>>()
  const edges = settings.edges.map((edge, index) => edgeView(edge, index, redirect, capabilities))
  const edgesAt = Map.groupBy(edges, (edge) => edge.siteId)
  const sites = settings.sites.map(({ id, location }, index) =>
    siteView(index, id, location, edgesAt.get(id) ?? []),
  )
  for (const site of sites) Object.assign(site, { neighbours: neighboursOf(site, sites) })
  const capabilitySets = new Map([['', 0]])
  const properties = settings.properties.map((property, index) =>
    propertyView(property, index, capabilitySets),
  )
  const siteOf = new Map<string, SiteView>(sites.map((site) => [site.id, site]))
  const defaultSite = siteOf.get(settings.defaultSite ?? settings.sites[0]?.id ?? '')
  if (defaultSite === undefined) throw new Error('the default site is not among the sites')
  return {
    sites,
    edges,
    edgesById: new Map(edges.map((edge) => [edge.id, edge])),
    edgesByKeyHash: Map.groupBy(edges, (edge) => edge.keyHash),
    defaultSite,
    properties: buildPropertyIndex(properties),
    hostTable: new HostTable(properties),
    allProperties: properties,
    capped: properties.filter(({ overflow }) => overflow !== null),
    coverage: buildCoverage(settings.sites, siteOf),
    pinned: pinnedTree(settings.edges, siteOf),
    deepSites: sites.filter((site) => site.deep.length > 0),
    trustedProxies: buildCidrTree(
      settings.scheduler.trustedProxies.map((text) => ({ network: checkedNetwork(text), value: true })),
    ),
  }
}

/** The canonical text of a URL without its last slash, so that a path can follow. */
function redirectBase(url: string): string {
  return new URL(url).href.replace(/\/+$/, '')
}

/** `capabilities` grows by sets that no edge before had: thousands of edges have the same few. */
function edgeView(
  edge: SchedulerSettings['edges'][number],
  index: number,
  redirect: RedirectForm,
  capabilities: Map<string, ReadonlySet<string>>,
): EdgeView {
  const url = redirectBase(edge.url)
  const addresses = edge.addresses.map(parseIp).filter((address) => address !== undefined)
  const hasAddress = familiesOf(addresses)
  const names = edge.capabilities.join(' ')
  const held = capabilities.get(names) ?? new Set(edge.capabilities)
  capabilities.set(names, held)
  return {
    index,
    id: edge.id,
    hash: hash64(edge.id),
    siteId: edge.site,
    url,
    address: edgeAddressOf(url, redirect),
    bandwidth: edge.capacity.bandwidth,
    connectionsMax: edge.capacity.connections,
    weight: edge.capacity.bandwidth * edge.weight,
    addresses: edge.addresses,
    addressData: { 4: addressData(addresses, 4), 6: addressData(addresses, 6) },
    families: edge.addresses.length === 0 ? FAMILIES.both : hasAddress,
    hasAddress,
    capabilities: held,
    pinned:
      edge.pinned.length === 0
        ? null
        : buildCidrTree(edge.pinned.map((text) => ({ network: checkedNetwork(text), value: true }))),
    probed: edge.probe,
    keyHash: edge.keyHash,
  }
}

/** Made once: one for each edge would take more than its addresses. */
const FAMILIES = {
  both: { 4: true, 6: true },
  4: { 4: true, 6: false },
  6: { 4: false, 6: true },
  none: { 4: false, 6: false },
} as const

function familiesOf(addresses: readonly IpAddress[]): EdgeView['hasAddress'] {
  const families = new Set(addresses.map(({ family }) => family))
  const [first] = families
  return FAMILIES[families.size === 2 ? 'both' : (first ?? 'none')]
}

/** By `map` at last: other ways to a list leave room in it for many more. */
function addressData(addresses: readonly IpAddress[], family: 4 | 6): Uint8Array[] {
  return addresses.filter((address) => address.family === family).map(ipBytes)
}

/** `sets` grows by what no property before asked for. */
function propertyView(
  property: ClusterPropertySettings,
  index: number,
  sets: Map<string, number>,
): PropertyView {
  const { id, hosts, cors, access, sites, capabilities, overflow, contentSteering, warm } = property
  const wanted = [...new Set(capabilities)].toSorted().join(' ')
  const capabilitySet = sets.get(wanted) ?? sets.size
  sets.set(wanted, capabilitySet)
  const compiled = compileAccess({ id, hosts }, access)
  const isOpen = compiled.rules === null && compiled.tokens === null && overflow === undefined
  return {
    index,
    id,
    hash: hash64(id),
    idBytes: Buffer.from(id, 'latin1'),
    hosts,
    corsOrigins: cors.origins,
    access: compiled,
    plainFields: isOpen ? plainRedirectFields(cors.origins) : null,
    siteIds: sites.length === 0 ? null : new Set(sites),
    capabilities,
    capabilitySet,
    overflow: overflow === undefined ? null : { above: overflow.above, to: redirectBase(overflow.to) },
    steeringTtlMs: contentSteering?.ttl ?? null,
    warm,
  }
}

/** Until all sites are there. */
const NO_NEIGHBOURS: Neighbours = { count: 0, site: () => undefined, roundTripMs: () => 0 }

function siteView(
  index: number,
  id: string,
  location: Position | undefined,
  edges: readonly EdgeView[],
): SiteView {
  const ordinary = edges.filter((edge) => edge.pinned === null)
  return {
    index,
    id,
    hash: hash64(id),
    direction: location === undefined ? undefined : directionOf(location),
    edges,
    ordinary,
    deep: edges.filter((edge) => edge.pinned !== null),
    weight: ordinary.reduce((sum, edge) => sum + edge.weight, 0),
    neighbours: NO_NEIGHBOURS,
  }
}

function pinnedTree(
  edges: SchedulerSettings['edges'],
  siteOf: ReadonlyMap<string, SiteView>,
): CidrTree<readonly SiteView[]> {
  const entries = edges.flatMap(({ pinned, site }) =>
    pinned.map((text) => ({ network: checkedNetwork(text), site: siteOf.get(site) })),
  )
  const bySameNetwork = Map.groupBy(entries, ({ network }) => formatNetwork(network))
  return buildCidrTree<readonly SiteView[]>(
    [...bySameNetwork.values()].flatMap((held) => {
      const sites = new Set(held.flatMap(({ site }) => site ?? []))
      return held.slice(0, 1).map(({ network }) => ({ network, value: [...sites] }))
    }),
  )
}

function checkedNetwork(text: string): IpNetwork {
  const network = parseNetwork(text)
  if (network === undefined) throw new Error(`${text} is not a network`)
  return network
}
