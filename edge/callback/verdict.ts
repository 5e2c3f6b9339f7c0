// What an answer of a session hook means: admitted, refused with a status of the hook's choice, or no answer at all;
// and how long that holds.
import { parseCacheControl } from '../../src/http/cache-control.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import { VERDICT_MS_MAX } from '../limits.ts'
import type { HookAnswer } from './hook-client.ts'

/** The log, the metrics and the reply use the same words. */
export type CallbackRefusal = 'callback_denied' | 'callback_unanswered'

export interface Verdict {
  /** null: the session is admitted. */
  readonly refusal: CallbackRefusal | null
  readonly status: number
  /** Of the reply that refuses. */
  readonly fields: FieldPairs
}

export const ADMITTED: Verdict = { refusal: null, status: 200, fields: [] }

/** Nobody could be asked, and the property then lets nobody in. */
export const UNANSWERED: Verdict = {
  refusal: 'callback_unanswered',
  status: 503,
  fields: ['Retry-After', '2'],
}

const REFUSING = new Set([401, 403, 404, 410, 429, 451])
const SECONDS = /^\d{1,6}$/
/** Visible ASCII and blanks: nothing that could end a field. */
const CLEAN_FIELD = /^[\x20-\x7e]{1,1024}$/

/** undefined: this is no answer to the question. */
export function verdictOf(answer: HookAnswer): Verdict | undefined {
  const { status } = answer
  if (status >= 200 && status < 300) return ADMITTED
  if (!REFUSING.has(status)) return undefined
  return { refusal: 'callback_denied', status, fields: refusalFields(answer) }
}

export function holdsMs(answer: HookAnswer, presetMs: number): number {
  const text = answer.header('cache-control')
  if (text === undefined) return Math.min(presetMs, VERDICT_MS_MAX)
  const control = parseCacheControl(text)
  if (control.noStore || control.noCache) return 0
  const ms = control.maxAge === undefined ? presetMs : control.maxAge * 1000
  return Math.min(ms, VERDICT_MS_MAX)
}

function refusalFields(answer: HookAnswer): FieldPairs {
  if (answer.status === 401) {
    // RFC 9110 §15.5.2: a 401 has a challenge.
    const challenge = answer.header('www-authenticate')
    const clean = challenge !== undefined && CLEAN_FIELD.test(challenge)
    return ['WWW-Authenticate', clean ? challenge : 'Session']
  }
  if (answer.status === 429) {
    const seconds = answer.header('retry-after')
    if (seconds !== undefined && SECONDS.test(seconds)) return ['Retry-After', seconds]
  }
  return []
}
