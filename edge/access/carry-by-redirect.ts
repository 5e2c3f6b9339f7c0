// Step: a playlist that was asked for with a token, sent to itself with the grant that the token is worth. In its path,
// where the property carries grants so: its relative URIs then lead below it. In its query, where a live playlist is
// all that the player asks for: it reloads that for hours, and the token ends long before.
import { CarriedGrants } from '../../src/access/carried-grants.ts'
import { GRANT_PARAMETER, GRANT_SEGMENT } from '../../src/access/grant-carrier.ts'
import { isAtTop, scopeOf } from '../../src/access/grant.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import { isPrefixed } from '../../src/property-index.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { clientTextOf } from './client.ts'

export function carryByRedirect(exchange: Exchange): StepName {
  const { access, edge, path, property, reply, request, target } = exchange
  const tokens = property?.access.tokens ?? null
  if (property === null || tokens === null || target === null || access.admission === null)
    throw new Error('carry-by-redirect comes after admit')
  const now = edge.clock.now()
  const client = { path, address: clientTextOf(exchange), session: access.session }
  const grants = new CarriedGrants(tokens.grants, access.admission, client, now, tokens.sessionMs)
  access.session ??= grants.grant.session
  const grant = grants.textFor(scopeOf(path))
  const inPath = tokens.carry === 'path' && !isAtTop(path)
  const prefix = isPrefixed(request.target) ? `/~${property.id}` : ''
  const joint = target.path.includes('?') ? '&' : '?'
  const extra = [
    'Location',
    inPath
      ? `${prefix}${GRANT_SEGMENT}${grant}${target.path}`
      : `${prefix}${target.path}${joint}${GRANT_PARAMETER}=${grant}`,
    'Cache-Control',
    'no-store',
    ...property.cors(request.header('origin')).pairs,
    ...exchange.extra,
  ]
  exchange.cache.outcome = 'local'
  reply.send({ status: 302, fields: NO_FIELDS, extra, length: 0 }, null)
  return 'done'
}
