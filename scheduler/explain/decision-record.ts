// A decision as a record with its reasons, for `edgeward explain` and the decision log. It repeats nothing of the
// choice: it reads what the flow left on the exchange, and asks the same leaves about the sites that were passed over.
import { formatIp, formatNetwork, networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { whereaboutsOf } from '../../src/geo/whereabouts.ts'
import type { Decision, DecisionLocation } from '../../src/wire/decision.ts'
import { assetOf, clientOfQuery } from '../query.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Steered } from '../steer-flow.ts'
import { passedOverSites, weighedSites } from './site-records.ts'

export interface RecordOptions {
  /** Also the sites that were never weighed, since none of them could be cheaper. */
  everySite: boolean
  /** Of the weighed ones; the chosen one is never left out. */
  sitesMax: number
}

export function decisionRecordOf(steered: Steered, { everySite, sitesMax }: RecordOptions): Decision {
  const { query, property, path, chosen, answer, denial, snapshot, nowMs } = steered
  // One that was refused before it was located has an address all the same.
  const client = steered.client ?? clientOfQuery(query, snapshot)
  const weighed = weighedSites(steered, sitesMax)
  return {
    time: new Date(query.atMs).toISOString(),
    method: query.method,
    host: query.host,
    property: property?.id ?? null,
    path: property === undefined ? null : path,
    asset: property === undefined ? null : assetOf(path),
    client: client === undefined ? null : formatIp(client),
    location: locationRecord(steered, client, snapshot),
    sites: everySite ? [...weighed, ...passedOverSites(steered)] : weighed,
    chosen: chosen === undefined ? null : { site: chosen.edge.siteId, edge: chosen.id, url: chosen.edge.url },
    outcome: answer.outcome,
    denied: denial?.reason ?? null,
    status: answer.status,
    holds: snapshot.holds.map(({ evidence, edges, sinceMs }) => ({
      evidence,
      edges,
      forMs: Math.round(nowMs - sinceMs),
    })),
  }
}

function locationRecord(
  { location }: Steered,
  client: IpAddress | undefined,
  { topology, places }: Snapshot,
): DecisionLocation {
  if (location === undefined) return null
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
