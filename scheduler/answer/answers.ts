// From an outcome to the reply that says it. The outcomes are the words of the access log and the metrics.
import { corsFields, preflightFields } from '../../src/http/cors.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import { RETRY_AFTER_S } from '../limits.ts'
import { hostNameOf, splitPrefix } from '../../src/property-index.ts'
import { rootOn } from '../edge-address.ts'
import type { SteerQuery } from '../query.ts'
import type { EdgeView, PropertyView } from '../topology.ts'

export const OUTCOMES = [
  'redirect',
  'overflow',
  'routes',
  'steering-list',
  'preflight',
  'health',
  'bad-request',
  'bad-parameter',
  'unknown-route',
  'unknown-host',
  'unknown-property',
  'steering-off',
  'method-not-allowed',
  'no-edge',
  'denied',
] as const

export type Outcome = (typeof OUTCOMES)[number]

export interface SteerAnswer {
  readonly outcome: Outcome
  readonly status: number
  readonly extra: FieldPairs
  /** '' for none. */
  readonly body: string
}

const METHODS = 'GET, HEAD, OPTIONS'
const TEXT_FIELDS: FieldPairs = [
  'Content-Type',
  'text/plain; charset=utf-8',
  'X-Content-Type-Options',
  'nosniff',
]
/** Before a property is known: whoever asks may read why it is not. */
const ANY_PAGE = ['*']
/** Of a client's own text in a message. */
const QUOTED_LENGTH_MAX = 100

export type Refusal = Exclude<Outcome, 'redirect' | 'overflow' | 'routes' | 'steering-list' | 'denied'>

interface RefusalForm {
  readonly status: number
  readonly fields: FieldPairs
  /** Names what was wrong, or says so by `problem`; null for an empty body. */
  readonly message: ((query: SteerQuery, problem: string) => string) | null
}

const REFUSALS: Readonly<Record<Refusal, RefusalForm>> = {
  preflight: { status: 204, fields: ['Allow', METHODS], message: null },
  health: { status: 200, fields: [], message: () => 'ok' },
  'bad-request': {
    status: 400,
    fields: [],
    message: () => 'bad request: the target must be a path without spaces or controls',
  },
  'bad-parameter': { status: 400, fields: [], message: (_query, problem) => `bad request: ${problem}` },
  'unknown-route': {
    status: 404,
    fields: [],
    message: (query) => `no such route: ${quoted(query.path)}`,
  },
  'unknown-host': {
    status: 404,
    fields: [],
    message: (query) => `no property for host ${quoted(hostNameOf(query.host))}`,
  },
  'unknown-property': {
    status: 404,
    fields: [],
    message: (query) => `no property ${quoted(splitPrefix(query.path).propertyId ?? '')}`,
  },
  // A player asks no more after this one (RFC 8216bis §7.2).
  'steering-off': { status: 410, fields: [], message: () => 'this property steers no players' },
  'method-not-allowed': {
    status: 405,
    fields: ['Allow', METHODS],
    message: (query) => `method ${quoted(query.method)} is not allowed`,
  },
  'no-edge': {
    status: 503,
    fields: ['Retry-After', String(RETRY_AFTER_S)],
    message: () => 'no edge can serve this now',
  },
}

/** To the target on the edge. */
export function answerRedirect(
  query: SteerQuery,
  property: PropertyView,
  target: string,
  edge: EdgeView,
): SteerAnswer {
  const location = rootOn(edge, property) + encodeHighBytes(target)
  const cors = corsOf(property, query)
  return { outcome: 'redirect', status: 302, extra: ['Location', location, ...cors], body: '' }
}

/** To another CDN, where the property is above its cap or no edge can serve it. */
export function answerOverflow(query: SteerQuery, property: PropertyView, target: string): SteerAnswer {
  const location = overflowLocation(property, target)
  return {
    outcome: 'overflow',
    status: 302,
    extra: ['Location', location, ...corsOf(property, query)],
    body: '',
  }
}

export function overflowLocation(property: PropertyView, target: string): string {
  return `${property.overflow?.to ?? ''}${encodeHighBytes(target)}`
}

export function isRefusal(outcome: Outcome): outcome is Refusal {
  return outcome in REFUSALS
}

export function answerRefusal(
  query: SteerQuery,
  property: PropertyView | undefined,
  outcome: Refusal,
  problem = '',
): SteerAnswer {
  const { status, fields, message } = REFUSALS[outcome]
  const text = message?.(query, problem)
  const cors = corsOf(property, query)
  const preflight = outcome === 'preflight' && cors.length > 0 ? preflightFields(query.requestedHeaders) : []
  return {
    outcome,
    status,
    extra: [...fields, ...cors, ...preflight, ...(text === undefined ? [] : TEXT_FIELDS)],
    body: text === undefined ? '' : `${text}\n`,
  }
}

/** By an access rule or a token. */
export function answerDenial(
  query: SteerQuery,
  property: PropertyView | undefined,
  { reason, status }: { reason: string; status: number },
): SteerAnswer {
  const extra = [...corsOf(property, query), ...TEXT_FIELDS]
  return { outcome: 'denied', status, extra, body: `denied: ${reason}\n` }
}

export function corsOf(property: PropertyView | undefined, query: SteerQuery): FieldPairs {
  const credentials = property?.access.tokens?.carry === 'cookie'
  return corsFields(property?.corsOrigins ?? ANY_PAGE, query.origin, credentials)
}

function quoted(clientText: string): string {
  const printable = clientText.slice(0, QUOTED_LENGTH_MAX).replaceAll(/[^\x21-\x7e]/g, '?')
  return `"${printable}"`
}

/** Bytes above ASCII, which RFC 3986 does not know, as the percent-encoding that every client understands. */
export function encodeHighBytes(bytes: string): string {
  return bytes.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
}
