// Step: a clear error. Plain text that names what is wrong, never cached by anyone.
import { formatCacheStatus, formatItem } from '../../src/http/cache-status.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import { PEER_FIELD } from '../../src/wire/peer-token.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

export function refuse(exchange: Exchange): StepName {
  const { request, reply, error, edge } = exchange
  if (error === null) throw new Error('refuse without an error')
  exchange.cache.detail = exchange.access.denial ?? error.code
  // What went wrong between here and an origin is the operator's business; the log has it.
  const text = error.source === 'client' ? error.message : error.code
  const body = Buffer.from(`${text}\n`)
  // That it is this edge's own refusal, and no origin's: the other edge goes on elsewhere.
  const fromPeer = exchange.peer !== null || error.code === 'peer_token'
  const extra = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Cache-Control',
    'no-store',
    'Cache-Status',
    formatCacheStatus(edge.id, exchange.cache),
    ...(fromPeer
      ? [PEER_FIELD, error.code]
      : (exchange.property?.cors(request.header('origin')).pairs ?? [])),
    ...exchange.refusal,
  ]
  // RFC 9209. From another edge comes what it refuses itself too, which is in none of these words.
  const said = PROXY_STATUS[error.code]
  if (error.source === 'origin' || (error.source === 'peer' && said !== undefined))
    extra.push('Proxy-Status', `${formatItem(edge.id)}; error=${said ?? 'proxy_internal_error'}`)
  if (error.status === 503 && !exchange.refusal.includes('Retry-After')) extra.push('Retry-After', '2')
  reply.send(
    { status: error.status, fields: NO_FIELDS, extra, length: body.length },
    request.method === 'HEAD' ? null : body,
  )
  return 'done'
}

/** Our codes in the words of RFC 9209 §2.3. */
const PROXY_STATUS: Partial<Record<string, string>> = {
  origin_unreachable: 'destination_unavailable',
  origin_down: 'destination_unavailable',
  origin_certificate: 'tls_certificate_error',
  origin_timeout: 'http_response_timeout',
  reload_timeout: 'http_response_timeout',
  origin_growing: 'http_protocol_error',
  origin_protocol: 'http_protocol_error',
  origin_truncated: 'http_response_incomplete',
  origin_refused: 'connection_refused',
}
