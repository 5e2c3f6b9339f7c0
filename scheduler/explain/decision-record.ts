// A decision as a record with its reasons, for `edgeward explain` and the decision log. It repeats nothing of the
// choice: it reads what the flow left on the exchange, and asks the same leaves about the sites that were passed over.
import { formatIp } from '../../src/net/ip.ts'
import type { Decision } from '../../src/wire/decision.ts'
import { assetOf, clientOfQuery } from '../query.ts'
import type { Steered } from '../steer-flow.ts'
import { holdRecordsOf, locationRecordOf } from './circumstances.ts'
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
    location: steered.location === undefined ? null : locationRecordOf(steered.location, client, snapshot),
    sites: everySite ? [...weighed, ...passedOverSites(steered)] : weighed,
    chosen: chosen === undefined ? null : { site: chosen.edge.siteId, edge: chosen.id, url: chosen.edge.url },
    outcome: answer.outcome,
    denied: denial?.reason ?? null,
    status: answer.status,
    holds: holdRecordsOf(snapshot, nowMs),
  }
}
