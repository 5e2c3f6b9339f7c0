// Step: the token or grant of a property that asks for one. What was taken off the target when the property was
// found is judged here; waits only for a scheme that must, and only for a token that is new.
import type { Admission, Presented, TokenJudgement } from '../../src/access/token-gate.ts'
import { isPrefixed } from '../../src/property-index.ts'
import { presentedTokens, renewalCookie } from '../../src/token/renewal.ts'
import type { RenewableClaims } from '../../src/token/renewal.ts'
import type { TokenQuery } from '../../src/token/token.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { clientTextOf } from './client.ts'
import { deny } from './deny.ts'

/** Takes tokens and grants off a target inside the property. */
export function takeTokens(exchange: Exchange, target: string): string {
  const tokens = exchange.property?.access.tokens ?? null
  if (tokens === null) return target
  const presented = tokens.gate.take(tokenQueryOf(exchange, target))
  exchange.access.presented = presented
  return presented.target
}

export function judgeToken(exchange: Exchange): StepName | Promise<StepName> {
  const { access, property } = exchange
  const tokens = property?.access.tokens ?? null
  if (tokens === null || access.presented === null) throw new Error('judge-token comes after select-property')
  const query = tokenQueryOf(exchange, originalTarget(access.presented))
  const judged = tokens.gate.judge(access.presented, query)
  return judged instanceof Promise ? judged.then((late) => take(exchange, late)) : take(exchange, judged)
}

function take(exchange: Exchange, judged: TokenJudgement): StepName | Promise<StepName> {
  if (judged.refusal !== null) return deny(exchange, judged.refusal, judged.status)
  const { admitted } = judged
  exchange.access.admission = admitted
  exchange.access.session = admitted?.session ?? null
  // A shared cache behind this edge keys by the URL, which says nothing of a cookie or a field.
  if (admitted !== null && !isInTarget(exchange, admitted)) exchange.extra.push('Cache-Control', 'private')
  return admitted === null || admitted.renewable === null
    ? 'judge-limits'
    : renew(exchange, admitted.renewable)
}

function isInTarget({ access: { presented } }: Exchange, { grant }: Admission): boolean {
  if (grant !== null) return grant.by !== 'cookie'
  if (presented === null || presented.target === presented.grant.target) return false
  // Of several, which one was good is not said.
  return presentedTokens(presented.taken.token ?? '').length === 1
}

/** A token that its issuer wants replaced while it is used: the new one goes with the reply. */
async function renew(exchange: Exchange, claims: RenewableClaims): Promise<StepName> {
  const { access, extra, property, request } = exchange
  const tokens = property?.access.tokens ?? null
  if (property === null || tokens === null || access.presented === null) return 'judge-limits'
  const { target } = access.presented
  const renewal = await claims.renew(target, tokenQueryOf(exchange, target))
  if (renewal === null) return 'judge-limits'
  if (renewal.by === 'cookie') {
    const prefix = isPrefixed(request.target) ? `/~${property.id}` : ''
    extra.push('Set-Cookie', renewalCookie(renewal, { prefix, ...tokens.cookie }))
    // No shared cache behind this one may give it to others (RFC 9111 §5.2.2.4).
    extra.push('Cache-Control', 'no-cache="Set-Cookie"')
  } else if (renewal.by === 'header') {
    extra.push(renewal.name, [renewal.token, ...renewal.parameters].join('; '))
    extra.push('Cache-Control', `no-cache="${renewal.name}"`)
  }
  // By the query only where a redirect is sent anyway, and an edge sends none of its own to a player.
  return 'judge-limits'
}

/** Without its grant, as its owner may have signed it. */
function originalTarget({ grant }: Presented): string {
  return grant.target
}

function tokenQueryOf(exchange: Exchange, target: string): TokenQuery {
  const { request, edge } = exchange
  return {
    target,
    scheme: request.secure ? 'https' : 'http',
    host: request.host,
    method: request.method,
    // Most tokens do not speak of it.
    get address() {
      return clientTextOf(exchange)
    },
    nowMs: edge.clock.now(),
    header: (name) => request.header(name),
  }
}
