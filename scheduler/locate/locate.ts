// Where a client is, as the sites that should serve it, best first, and how that is known: coverage networks, then
// the number of its network (ASN), then GeoIP, then the default site.
import type { Place, Position } from '../../src/geo/place.ts'
import { isUnroutable } from '../../src/geo/unroutable.ts'
import { networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { hash64OfWords, rankByRendezvous } from '../../src/rendezvous.ts'
import type { Snapshot } from '../snapshot.ts'
import type { SiteView, Topology } from '../topology.ts'
import type { CoveringSites } from './coverage.ts'
import { nearestSite } from './nearest.ts'

export const LOCATION_SOURCES = ['coverage', 'asn', 'geoip-country', 'geoip-position', 'default'] as const

export type LocationSource = (typeof LOCATION_SOURCES)[number]

export interface ClientLocation {
  readonly source: LocationSource
  /** Never empty. */
  readonly sites: readonly SiteView[]
  /** What `geoip-position` went by. */
  readonly position?: Position
  /** Bits of the client's address that its place depended on; left out where its place was not asked for. */
  readonly placeScope?: number
}

/** Clients of one such network are kept together when an area is spread over several sites. */
export const SPREAD_PREFIX = { 4: 24, 6: 48 } as const

export function locate(client: IpAddress | undefined, snapshot: Snapshot): ClientLocation {
  const { topology, places } = snapshot
  if (client === undefined) return byDefault(topology)
  const covering = topology.coverage.networks.find(client)?.value
  if (covering !== undefined) return { source: 'coverage', sites: spread(covering, client) }
  if (isUnroutable(client)) return byDefault(topology)
  const byAsn = locateByAsn(client, snapshot)
  if (byAsn !== undefined) return byAsn
  const { found, scope } = places.look(client)
  return locateByPlace(found, scope, client, topology) ?? byDefault(topology, scope)
}

function byDefault({ defaultSite }: Topology, placeScope?: number): ClientLocation {
  const location = { source: 'default', sites: [defaultSite] } as const
  return placeScope === undefined ? location : { ...location, placeScope }
}

/**
 * A network may span a country or more: where several sites take it, the client's position decides, else those among
 * them that take its country share it.
 */
function locateByAsn(client: IpAddress, { topology, places }: Snapshot): ClientLocation | undefined {
  const { asns, countries } = topology.coverage
  if (asns.size === 0) return undefined
  const asn = places.findAsn(client)
  const taking = asn === undefined ? undefined : asns.get(asn)
  if (taking === undefined) return undefined
  if (taking.length === 1) return { source: 'asn', sites: taking }
  const { found: place, scope: placeScope } = places.look(client)
  const nearest = place?.position === undefined ? undefined : nearestSite(taking, place.position)
  if (nearest !== undefined) return { source: 'asn', sites: [nearest], placeScope }
  const declared = place?.country === undefined ? undefined : countries.get(place.country)
  const both = declared === undefined ? [] : taking.filter((site) => declared.includes(site))
  return { source: 'asn', sites: spread(both.length > 0 ? both : taking, client), placeScope }
}

/**
 * Sites that declare the client's country take it before others. Among several of them, or when none declares
 * it, a position decides; a country alone is an area and is spread over its sites.
 */
function locateByPlace(
  place: Place | undefined,
  placeScope: number,
  client: IpAddress,
  { coverage, sites }: Topology,
): ClientLocation | undefined {
  if (place === undefined) return undefined
  const { country, position } = place
  const declared = country === undefined ? undefined : coverage.countries.get(country)
  if (declared !== undefined && (declared.length === 1 || position === undefined)) {
    return { source: 'geoip-country', sites: spread(declared, client), placeScope }
  }
  if (position === undefined) return undefined
  const nearest = nearestSite(declared ?? sites, position)
  if (nearest !== undefined) return { source: 'geoip-position', sites: [nearest], position, placeScope }
  return declared === undefined
    ? undefined
    : { source: 'geoip-country', sites: spread(declared, client), placeScope }
}

function spread(sites: CoveringSites, client: IpAddress): readonly SiteView[] {
  if (sites.length === 1) return sites
  const { a, b, c, d } = networkOf(client, SPREAD_PREFIX[client.family]).address
  return rankByRendezvous(hash64OfWords(a, b, c, d), sites, (site) => site.weight)
}
