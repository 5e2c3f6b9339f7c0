// The life of a request, as a table: each step does its part and names the next. Steps never call each
// other; a hit in memory runs from end to end without waiting for anything.
import { EdgewardError, messageOf } from '../src/errors.ts'
import type { Transaction } from '../src/http/transaction.ts'
import { admit } from './access/admit.ts'
import { carryByRedirect } from './access/carry-by-redirect.ts'
import { judgeMethod } from './access/method.ts'
import { judgeRules } from './access/judge-rules.ts'
import { judgeToken } from './access/judge-token.ts'
import { askCallback } from './callback/ask-callback.ts'
import { createExchange } from './exchange.ts'
import type { EdgeContext, Exchange } from './exchange.ts'
import { fetchObject, passThrough } from './fill/fetch-object.ts'
import { revalidateBehind } from './fill/revalidate-behind.ts'
import { lookUp } from './cache/look-up.ts'
import { judgeLimits } from './limits/judge-limits.ts'
import { preparePlaylist } from './playlist/prepare-playlist.ts'
import { notePlayer } from './prefetch/note-player.ts'
import { judgePeer } from './peer/judge-peer.ts'
import { makeKey } from './property/make-key.ts'
import { selectProperty } from './property/select-property.ts'
import { recordExchange } from './report/record-exchange.ts'
import { answerOwnRoute } from './respond/own-route.ts'
import { preflight } from './respond/preflight.ts'
import { refuse } from './respond/refuse.ts'
import { respond } from './respond/respond.ts'

export type StepName =
  | 'select-property'
  | 'own-route'
  | 'judge-peer'
  | 'judge-method'
  | 'preflight'
  | 'make-key'
  | 'judge-rules'
  | 'judge-token'
  | 'judge-limits'
  | 'ask-callback'
  | 'admit'
  | 'carry-by-redirect'
  | 'note-player'
  | 'look-up'
  | 'fetch-object'
  | 'pass-through'
  | 'revalidate-behind'
  | 'prepare-playlist'
  | 'respond'
  | 'refuse'
  | 'done'

export type Step = (exchange: Exchange) => StepName | Promise<StepName>

const STEPS: Record<Exclude<StepName, 'done'>, Step> = {
  'select-property': selectProperty, //  → judge-method, make-key (of another edge), judge-peer, own-route, refuse
  'judge-peer': judgePeer, //            → select-property, refuse
  'own-route': answerOwnRoute, //        → done, refuse
  'judge-method': judgeMethod, //        → make-key, preflight, refuse
  preflight, //                          → done
  'make-key': makeKey, //                → judge-rules, look-up (of another edge), refuse
  'judge-rules': judgeRules, //          → judge-token, judge-limits, refuse
  'judge-token': judgeToken, //          → judge-limits, refuse
  'judge-limits': judgeLimits, //        → admit, ask-callback, refuse, done (the client is gone)
  'ask-callback': askCallback, //        → admit, refuse
  admit, //                              → note-player, pass-through, carry-by-redirect
  'carry-by-redirect': carryByRedirect, // → done
  'note-player': notePlayer, //          → look-up
  'look-up': lookUp, //                  → respond, fetch-object, revalidate-behind
  'revalidate-behind': revalidateBehind, // → respond
  'fetch-object': fetchObject, //        → respond, look-up (another variant), refuse
  'pass-through': passThrough, //        → respond, refuse
  'prepare-playlist': preparePlaylist, // → respond, carry-by-redirect, look-up (the object changed, or is no playlist)
  respond, //                            → prepare-playlist, done, look-up (the object changed), refuse
  refuse, //                             → done
}

/** More steps than any request takes: a loop between steps is a bug, and ends. */
const STEPS_MAX = 32

export function handleTransaction(edge: EdgeContext, transaction: Transaction): void {
  const exchange = createExchange(edge, transaction)
  exchange.reply.onFinish = (complete) => recordExchange(exchange, complete)
  run(exchange, 'select-property', 0)
}

function run(exchange: Exchange, from: StepName, taken: number): void {
  let step = from
  for (let count = taken; step !== 'done'; count++) {
    if (count === STEPS_MAX) throw new Error(`request flow does not end: ${step}`)
    let next: StepName | Promise<StepName>
    try {
      next = STEPS[step](exchange)
    } catch (error) {
      next = failed(exchange, error)
    }
    if (typeof next !== 'string') {
      next.then(
        (name) => run(exchange, name, count + 1),
        (error: unknown) => run(exchange, failed(exchange, error), count + 1),
      )
      return
    }
    step = next
  }
}

/** A step threw: a clean refusal if nothing was sent, else a cut that the client can see. */
function failed(exchange: Exchange, error: unknown): StepName {
  exchange.error =
    error instanceof EdgewardError
      ? error
      : new EdgewardError('internal', 'self', messageOf(error), { cause: error })
  if (exchange.error.code === 'internal') exchange.edge.log.error({ err: error }, 'request failed')
  if (exchange.reply.status === 0 && !exchange.reply.closed) return 'refuse'
  exchange.reply.abort()
  return 'done'
}
