// What a decision was made in, as records: where the client was taken to be and by what, and what was held at the time.
import { whereaboutsOf } from '../../src/geo/whereabouts.ts'
import { formatNetwork, networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { DecisionLocation, HoldRecord } from '../../src/wire/decision.ts'
import type { ClientLocation } from '../locate/locate.ts'
import type { Snapshot } from '../snapshot.ts'

export function locationRecordOf(
  location: ClientLocation,
  client: IpAddress | undefined,
  { topology, places }: Snapshot,
): DecisionLocation {
  const covering = client === undefined ? undefined : topology.coverage.networks.find(client)
  const { place, asn } = whereaboutsOf(places, client)
  return {
    source: location.source,
    network:
      client === undefined || covering === undefined
        ? null
        : formatNetwork(networkOf(client, covering.prefixLength)),
    asn: asn() ?? null,
    country: place()?.country ?? null,
    position: place()?.position ?? null,
    sites: location.sites.map(({ id }) => id),
  }
}

export function holdRecordsOf({ holds }: Snapshot, nowMs: number): HoldRecord[] {
  return holds.map(({ evidence, edges, sinceMs }) => ({
    evidence,
    edges,
    forMs: Math.round(nowMs - sinceMs),
  }))
}
