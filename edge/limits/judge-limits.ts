// Step: is there room for this request? Over a limit of its client it is refused with 429. Over one of the property
// with 503, or it is sent back to the scheduler, which finds another edge; a client over its own limit would be over
// it there as well.
import { clientOf } from '../access/client.ts'
import { deny } from '../access/deny.ts'
import type { Exchange } from '../exchange.ts'
import { isPlaylistName } from '../playlist/playlist-times.ts'
import type { StepName } from '../request-flow.ts'
import { isOver } from './limiter.ts'
import type { Over } from './limiter.ts'
import type { LimitRefusal } from './property-state.ts'
import type { SessionGrant } from './session-name.ts'
import { steerAwayUrl } from './steer-away.ts'

export function judgeLimits(exchange: Exchange): StepName {
  const { edge, property, path, reply, request, access } = exchange
  if (property === null) throw new Error('judge-limits comes after select-property')
  const { limits } = property
  if (limits === null) return 'admit'
  // A step before this one waited, and the client did not: what is counted here would never be counted out.
  if (reply.closed) return 'done'
  const grant = grantOf(exchange)
  const address = clientOf(exchange)
  const outcome = edge.limiter.admit({ propertyId: property.id, limits, address, path, grant, request })
  if (isOver(outcome)) return turnAway(exchange, outcome)
  exchange.limited = outcome
  const { session } = outcome
  // The grants that the reply carries then name it.
  if (grant.kind === 'begins' && session !== null) access.session = session.name.id
  if (property.callback !== undefined) return 'ask-callback'
  if (session !== null) edge.limiter.sessions.announce(session)
  return 'admit'
}

const STATUS: Readonly<Record<LimitRefusal, 429 | 503>> = {
  client_connections: 429,
  client_requests: 429,
  client_sessions: 429,
  property_requests: 503,
  property_sessions: 503,
}

function turnAway(exchange: Exchange, over: Over): StepName {
  const { edge, property, request } = exchange
  const status = STATUS[over.refusal]
  const { steeringUrl } = edge.table
  if (property !== null && property.limits?.steers === true && status === 503 && steeringUrl !== null) {
    const location = steerAwayUrl(steeringUrl, property.id, request.target, edge.id)
    if (location !== null) {
      edge.limiter.noteSteered(property.id, over.refusal)
      exchange.refusal = ['Location', location]
      return deny(exchange, over.refusal, 302)
    }
  }
  exchange.refusal = ['Retry-After', String(over.retryAfterS)]
  return deny(exchange, over.refusal, status)
}

const NO_GRANT: SessionGrant = { kind: 'none' }

function grantOf({ access, path, property }: Exchange): SessionGrant {
  if (access.session !== null) return { kind: 'named', session: access.session }
  const carries = access.admission !== null && property?.access.tokens?.carry !== 'none'
  return carries && isPlaylistName(path) ? { kind: 'begins', path } : NO_GRANT
}
