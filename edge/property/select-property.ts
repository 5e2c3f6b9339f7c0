// Step: which property the request is for.
import { EdgewardError } from '../../src/errors.ts'
import type { Exchange } from '../exchange.ts'
import { TARGET_BYTES_MAX } from '../limits.ts'
import { takeTokens } from '../access/judge-token.ts'
import { asksAsPeer } from '../peer/judge-peer.ts'
import type { StepName } from '../request-flow.ts'
import { OWN_NAMESPACE } from '../respond/own-route.ts'
import { matchProperty } from './property-table.ts'

export function selectProperty(exchange: Exchange): StepName {
  const { request, edge } = exchange
  if (!request.target.startsWith('/')) {
    exchange.error = new EdgewardError('bad_request', 'client', 'target is not a path')
    return 'refuse'
  }
  if (request.target.length > TARGET_BYTES_MAX) {
    exchange.error = new EdgewardError(
      'target_too_long',
      'client',
      `target is longer than ${TARGET_BYTES_MAX} bytes`,
    )
    return 'refuse'
  }
  if (asksAsPeer(exchange)) return 'judge-peer'
  if (request.target.startsWith(OWN_NAMESPACE)) return 'own-route'
  const match = matchProperty(edge.table, request.host, request.target)
  if (match.found === null) {
    const what = match.why === 'unknown_host' ? 'host' : 'property'
    exchange.error = new EdgewardError(match.why, 'client', `no such ${what} here: ${match.name}`)
    return 'refuse'
  }
  exchange.property = match.found
  if (exchange.peer !== null) {
    exchange.path = match.path
    return 'make-key'
  }
  // From here on nothing sees a token but the step that judges it.
  exchange.path = takeTokens(exchange, match.path)
  return 'judge-method'
}
