// Where the clients of a network are, remembered by network: most requests come from networks that were met before, and to
// find a client again means two searches and a record of a file that no processor's cache holds. Made anew with each
// configuration and each change of a GeoIP file.
import type { Places } from '../../src/geo/places.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { KNOWN_NETWORKS_MAX } from '../limits.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Topology } from '../topology.ts'
import { LOCATION_SOURCES, locate } from './locate.ts'
import type { ClientLocation } from './locate.ts'
import { NetworkNumbers } from './network-numbers.ts'
import { scopeOfLocation } from './scope.ts'

/** What a choice without neighbours goes by. */
export type PlainLocation = Pick<ClientLocation, 'source' | 'sites'>

/** Bits of the networks: what providers are given, or their parts that are announced alone. */
const NETWORK_BITS = { 4: 24, 6: 32 } as const

/** Clients of one network are in different places, or belong to several sites. */
const MIXED = 1

const knownOf = new WeakMap<Topology, KnownNetworks>()
let last: KnownNetworks | undefined

/** The location that `locate` gives, without a position. */
export function locateKnown(client: IpAddress, snapshot: Snapshot): PlainLocation {
  const { topology, places } = snapshot
  const known = last?.topology === topology && last.places === places ? last : knownIn(topology, places)
  const number = known.numbers[client.family].find(networkOf(client))
  // An index below the list would be looked for as a name: no list is asked for what it cannot have.
  const kept = number > MIXED ? known.locations[number - MIXED - 1] : undefined
  const location = kept ?? locate(client, snapshot)
  if (number === 0) remember(known, client, snapshot, location)
  return location
}

interface KnownNetworks {
  readonly topology: Topology
  readonly places: Places
  /** Each source with each site; their numbers follow MIXED. */
  readonly locations: readonly PlainLocation[]
  readonly numbers: { readonly 4: NetworkNumbers; readonly 6: NetworkNumbers }
}

function knownIn(topology: Topology, places: Places): KnownNetworks {
  const before = knownOf.get(topology)
  last =
    before?.places === places
      ? before
      : {
          topology,
          places,
          locations: LOCATION_SOURCES.flatMap((source) =>
            topology.sites.map((site) => ({ source, sites: [site] })),
          ),
          numbers: { 4: new NetworkNumbers(KNOWN_NETWORKS_MAX), 6: new NetworkNumbers(KNOWN_NETWORKS_MAX) },
        }
  knownOf.set(topology, last)
  return last
}

function remember(
  { topology, numbers }: KnownNetworks,
  client: IpAddress,
  snapshot: Snapshot,
  location: ClientLocation,
): void {
  const { source, sites } = location
  const [site, second] = sites
  const isOne = site !== undefined && second === undefined
  const isAlike = isOne && scopeOfLocation(client, snapshot, location) <= NETWORK_BITS[client.family]
  const number = isAlike ? LOCATION_SOURCES.indexOf(source) * topology.sites.length + site.index + 1 : 0
  numbers[client.family].keep(networkOf(client), number + MIXED)
}

/** The first bits of the address. */
function networkOf({ family, a, d }: IpAddress): number {
  return family === 4 ? d >>> 8 : a
}
