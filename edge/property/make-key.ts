// Step: what the request asks for, as a cache key and as a fetch target.
import { EdgewardError } from '../../src/errors.ts'
import type { Exchange } from '../exchange.ts'
import { hasLooped } from '../fill/request-fields.ts'
import { distinguishGrowing } from '../playlist/low-latency.ts'
import type { StepName } from '../request-flow.ts'
import { keyOf } from './cache-key.ts'

export function makeKey(exchange: Exchange): StepName {
  const { property, request, edge } = exchange
  if (property === null) throw new Error('make-key comes after select-property')
  const keyed = keyOf(property.id, exchange.path)
  if (keyed === null) {
    exchange.error = new EdgewardError('bad_request', 'client', 'path is not well formed')
    return 'refuse'
  }
  const cdnLoop = request.header('cdn-loop')
  if (hasLooped(cdnLoop, edge.id)) {
    exchange.error = new EdgewardError(
      'loop_detected',
      'client',
      `request has been through ${edge.id} already`,
    )
    return 'refuse'
  }
  exchange.path = keyed.path
  exchange.target = {
    primaryKey: keyed.key,
    key: keyed.key,
    path: keyed.upstreamPath,
    chain: property.chain,
    rule: property.ruleFor(keyed.path),
  }
  distinguishGrowing(exchange, exchange.target)
  return exchange.peer === null ? 'judge-rules' : 'look-up'
}
