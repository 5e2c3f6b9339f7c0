// Step: what the listener answers for itself, under `/.edgeward/`: whether this edge serves, for the scheduler's probes.
import { EdgewardError } from '../../src/errors.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { EDGE_FIELD, HEALTH_PATH } from '../../src/wire/health.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

export const OWN_NAMESPACE = '/.edgeward/'

const FIELDS = new FieldBlock(['Content-Type', 'text/plain; charset=utf-8', 'Cache-Control', 'no-store'])
const SERVING = Buffer.from('ok\n')
const NOT_SERVING = Buffer.from('draining, or without a configuration yet\n')

export function answerOwnRoute(exchange: Exchange): StepName {
  const { request, reply, edge } = exchange
  if (request.target !== HEALTH_PATH) {
    exchange.error = new EdgewardError('unknown_route', 'client', 'no such route')
    return 'refuse'
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    exchange.error = new EdgewardError('method_not_allowed', 'client', 'health is asked by GET')
    exchange.refusal = ['Allow', 'GET, HEAD']
    return 'refuse'
  }
  // Before it has a configuration it would refuse every client.
  const serves = !edge.draining && edge.table.version !== ''
  const body = serves ? SERVING : NOT_SERVING
  const status = serves ? 200 : 503
  exchange.cache.outcome = 'local'
  reply.send(
    { status, fields: FIELDS, extra: [EDGE_FIELD, edge.id], length: body.length },
    request.method === 'HEAD' ? null : body,
  )
  return 'done'
}
