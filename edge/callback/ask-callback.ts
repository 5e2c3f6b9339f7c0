// Step: the property's own service says whether this session may play. Asked once for a while; a request waits only
// for the first answer of its session.
import { whereaboutsOf } from '../../src/geo/whereabouts.ts'
import type { SessionQuestion } from '../../src/wire/callback.ts'
import { clientOf, clientTextOf } from '../access/client.ts'
import { deny } from '../access/deny.ts'
import type { Exchange } from '../exchange.ts'
import type { SessionName } from '../limits/session-name.ts'
import type { StepName } from '../request-flow.ts'
import type { Verdict } from './verdict.ts'

/** Of a field that a client writes freely. */
const FIELD_LENGTH_MAX = 1024

export function askCallback(exchange: Exchange): StepName | Promise<StepName> {
  const { edge, limited, property } = exchange
  if (property?.callback === undefined || limited === null)
    throw new Error('ask-callback comes after judge-limits')
  const { name } = limited
  if (name === null) throw new Error('a property with a hook follows its sessions')
  const verdict = edge.callbacks.judge(property.id, property.callback, name.key, () =>
    questionOf(exchange, property.id, name),
  )
  return verdict instanceof Promise ? verdict.then((late) => take(exchange, late)) : take(exchange, verdict)
}

function take(exchange: Exchange, verdict: Verdict): StepName {
  const { edge, limited } = exchange
  const { sessions } = edge.limiter
  const session = limited?.session ?? null
  if (verdict.refusal === null) {
    if (session !== null) sessions.announce(session)
    return 'admit'
  }
  if (session !== null) sessions.end(session, 'denied')
  exchange.refusal = verdict.fields
  return deny(exchange, verdict.refusal, verdict.status)
}

function questionOf(exchange: Exchange, property: string, name: SessionName): SessionQuestion {
  const { edge, path, request } = exchange
  const country = whereaboutsOf(edge.places, clientOf(exchange)).place()?.country
  return {
    property,
    session: name.id,
    address: clientTextOf(exchange),
    ...(country !== undefined && { country }),
    path,
    method: request.method,
    referer: withoutQuery(request.header('referer')),
    userAgent: request.header('user-agent')?.slice(0, FIELD_LENGTH_MAX) ?? null,
    edge: edge.id,
    time: new Date(edge.clock.now()).toISOString(),
  }
}

/** A page's query may hold what admits its viewer, and so may userinfo. */
function withoutQuery(referer: string | undefined): string | null {
  const page = referer?.slice(0, FIELD_LENGTH_MAX).split(/[?#]/, 1)[0]
  return page?.replace(/\/\/[^/]*@/, '//') ?? null
}
