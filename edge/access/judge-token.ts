// Step: the token or grant of a property that asks for one. What was taken off the target when the property was
// found is judged here; waits only for a scheme that must, and only for a token that is new.
import type { Presented, TokenJudgement } from '../../src/access/token-gate.ts'
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

function take(exchange: Exchange, judged: TokenJudgement): StepName {
  if (judged.refusal !== null) return deny(exchange, judged.refusal, judged.status)
  exchange.access.admission = judged.admitted
  exchange.access.session = judged.admitted?.session ?? null
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
