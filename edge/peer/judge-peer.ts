// Step: another edge asks, or whoever says that it is one. Proved before anything else is looked at. What it asks for on
// behalf of its clients was judged where they are: rules, tokens and limits are none of this edge's business, and nothing
// of the answer is made for a client.
import { EdgewardError } from '../../src/errors.ts'
import { PEER_FIELD, judgePeerToken } from '../../src/wire/peer-token.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

const LOWER_NAME = PEER_FIELD.toLowerCase()

/** Asked by `select-property`: it was not judged yet. */
export function asksAsPeer({ peer, request }: Exchange): boolean {
  return peer === null && request.header(LOWER_NAME) !== undefined
}

export function judgePeer(exchange: Exchange): StepName | Promise<StepName> {
  const { edge, request } = exchange
  const { method, target } = request
  const judged = judgePeerToken(
    edge.peering.secrets,
    request.header(LOWER_NAME) ?? '',
    { to: edge.id, method, target },
    edge.clock.now(),
  )
  if (judged.refusal !== null) return refusePeer(exchange, 'peer_token', judged.refusal)
  exchange.peer = judged.claims
  if (method !== 'GET' && method !== 'HEAD')
    return refusePeer(exchange, 'method_not_allowed', `${method} is not for edges`)
  if (request.body !== null) return refusePeer(exchange, 'bad_request', 'an edge asks without a body')
  const { event } = judged.claims
  if (edge.peering.holds(event)) return 'select-property'
  return edge.peering.reach(event).then((reached) => {
    if (reached) return 'select-property'
    return refusePeer(exchange, 'peer_behind', `event ${event} has not come here`)
  })
}

function refusePeer(
  exchange: Exchange,
  code: 'peer_token' | 'method_not_allowed' | 'bad_request' | 'peer_behind',
  reason: string,
): StepName {
  exchange.error = new EdgewardError(code, 'peer', `from another edge: ${reason}`)
  exchange.edge.peers.refused(code === 'peer_token' ? 'token' : code === 'peer_behind' ? 'behind' : 'request')
  return 'refuse'
}
