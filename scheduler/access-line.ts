// What the access log says of an answer.
import type { HttpRequest } from '../src/http/transaction.ts'
import { formatIp } from '../src/net/ip.ts'
import type { IpAddress } from '../src/net/ip.ts'
import type { Outcome } from './answer/answers.ts'
import type { LocationSource } from './locate/locate.ts'
import type { PlainRedirect } from './plain-redirect.ts'
import type { Steered } from './steer-flow.ts'

export interface AccessLine {
  readonly client: string
  readonly method: string
  readonly host: string
  /** Without query, and without the tokens that a path may hold; where, only a property tells. */
  readonly path: string | undefined
  readonly property: string | undefined
  readonly located: LocationSource | undefined
  readonly site: string | undefined
  readonly edge: string | undefined
  readonly outcome: Outcome
  readonly denied: string | undefined
  readonly status: number
  readonly durationUs: number
}

export function steeredLine(steered: Steered, tookMs: number): AccessLine {
  const { query, client, property, location, chosen, answer } = steered
  const staying = steered.pathways?.stays
  return {
    client: textOf(client, query.peer),
    method: query.method,
    host: query.host,
    path:
      property !== undefined ? steered.path : query.path.startsWith('/.edgeward/') ? query.path : undefined,
    property: property?.id,
    located: location?.source,
    site: (staying ?? chosen?.edge)?.siteId,
    edge: staying?.id ?? chosen?.id,
    outcome: answer.outcome,
    denied: steered.denial?.reason,
    status: answer.status,
    durationUs: Math.round(tookMs * 1000),
  }
}

export function plainLine(request: HttpRequest, plain: PlainRedirect, tookMs: number): AccessLine {
  const { target } = request
  const question = target.indexOf('?')
  return {
    client: formatIp(plain.client),
    method: request.method,
    host: request.host,
    path: question < 0 ? target : target.slice(0, question),
    property: plain.property.id,
    located: plain.location.source,
    site: plain.site.id,
    edge: plain.edge.id,
    outcome: 'redirect',
    denied: undefined,
    status: plain.head.status,
    durationUs: Math.round(tookMs * 1000),
  }
}

function textOf(client: IpAddress | undefined, peer: string): string {
  return client === undefined ? peer : formatIp(client)
}
