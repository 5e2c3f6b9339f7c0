// How much of a client's address its location depended on: what a DNS answer by it states as its scope (RFC 7871 §7.2.1),
// so that a resolver gives the answer to all whom it is for, and to nobody else. Follows what `locate` asks, in its order.
import { isUnroutable, scopeOfUnroutable } from '../../src/geo/unroutable.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { Snapshot } from '../snapshot.ts'
import { SPREAD_PREFIX } from './locate.ts'
import type { ClientLocation } from './locate.ts'

/** Bits: every address of the client's family that shares so many leading ones with it has the same location. */
export function scopeOfLocation(
  client: IpAddress,
  { topology, places }: Snapshot,
  { source, sites, placeScope = 0 }: ClientLocation,
): number {
  const { networks, asns } = topology.coverage
  let scope = Math.max(networks.scopeOf(client), placeScope)
  // Nothing but an area that is spread gives several sites.
  if (sites.length > 1) scope = Math.max(scope, SPREAD_PREFIX[client.family])
  if (source === 'coverage') return scope
  scope = Math.max(scope, scopeOfUnroutable(client))
  if (asns.size === 0 || isUnroutable(client)) return scope
  return Math.max(scope, places.lookForAsn(client).scope)
}
