// Step: OPTIONS. A CORS preflight gets what the property lets the page do; any OPTIONS gets Allow.
import { preflightFields } from '../../src/http/cors.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

export function preflight(exchange: Exchange): StepName {
  const { request, reply, property } = exchange
  const cors = property?.cors(request.header('origin')).pairs ?? []
  const extra = ['Allow', 'GET, HEAD, OPTIONS', ...cors]
  const asked = request.header('access-control-request-method') !== undefined
  if (asked && cors.includes('Access-Control-Allow-Origin')) {
    extra.push(...preflightFields(request.header('access-control-request-headers')))
  }
  exchange.cache.outcome = 'local'
  reply.send({ status: 204, fields: NO_FIELDS, extra, length: null }, null)
  return 'done'
}
