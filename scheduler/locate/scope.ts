// How much of a client's address its location depended on: what a DNS answer by it states as its scope (RFC 7871 §7.2.1),
// so that a resolver gives the answer to all whom it is for, and to nobody else. Follows what `locate` asks, in its order.
import { isUnroutable, scopeOfUnroutable } from '../../src/geo/unroutable.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { Snapshot } from '../snapshot.ts'
import { SPREAD_PREFIX, locate } from './locate.ts'
import type { ClientLocation } from './locate.ts'

/** Bits: every address of the client's family that shares so many leading ones with it has the same location. */
export function scopeOfLocation(
  client: IpAddress,
  snapshot: Snapshot,
  location: ClientLocation = locate(client, snapshot),
): number {
  const { topology, places } = snapshot
  const { networks, asns } = topology.coverage
  let scope = networks.scopeOf(client)
  // Nothing but an area that is spread gives several sites.
  if (location.sites.length > 1) scope = Math.max(scope, SPREAD_PREFIX[client.family])
  if (location.source === 'coverage') return scope
  scope = Math.max(scope, scopeOfUnroutable(client))
  if (isUnroutable(client)) return scope
  if (asns.size > 0) scope = Math.max(scope, places.scopeOfAsn(client))
  return asksForPlace(client, snapshot, location) ? Math.max(scope, places.scopeOf(client)) : scope
}

/** An AS number that one site alone takes says all. */
function asksForPlace(
  client: IpAddress,
  { topology, places }: Snapshot,
  { source }: ClientLocation,
): boolean {
  if (source !== 'asn') return true
  const asn = places.findAsn(client)
  return asn === undefined || topology.coverage.asns.get(asn)?.length !== 1
}
