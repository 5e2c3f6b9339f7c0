// Step: a playlist that was asked for with a token, in a property that carries grants in paths. The player is sent to
// the same playlist below its grant, so that all its relative URIs lead below it too.
import { CarriedGrants } from '../../src/access/carried-grants.ts'
import { GRANT_SEGMENT } from '../../src/access/grant-carrier.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import { isPrefixed } from '../../src/property-index.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { clientTextOf } from './client.ts'

export function carryInPath(exchange: Exchange): StepName {
  const { access, edge, property, reply, request, target } = exchange
  const tokens = property?.access.tokens ?? null
  if (property === null || tokens === null || target === null || access.admission === null)
    throw new Error('carry-in-path comes after admit')
  const now = edge.clock.now()
  const grants = new CarriedGrants(
    tokens.grants,
    access.admission,
    { path: exchange.path, address: clientTextOf(exchange), session: access.session },
    now,
    tokens.sessionMs,
  )
  access.session ??= grants.grant.session
  const grant = grants.textFor({ directory: target.path.slice(0, exchange.path.lastIndexOf('/') + 1) })
  const prefix = isPrefixed(request.target) ? `/~${property.id}` : ''
  const extra = [
    'Location',
    `${prefix}${GRANT_SEGMENT}${grant}${target.path}`,
    'Cache-Control',
    'no-store',
    ...property.cors(request.header('origin')).pairs,
  ]
  exchange.cache.outcome = 'local'
  reply.send({ status: 302, fields: NO_FIELDS, extra, length: 0 }, null)
  return 'done'
}
