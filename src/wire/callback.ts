// What an edge sends to an operator's own services, and how they know that it is from an edge: the question of a
// session hook, and events. JSON over HTTP; tokens, cookies and queries are in none of it.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** POST to `callback.url`. 2xx admits the session; 401, 403, 404, 410, 429 and 451 refuse it with that status. */
export interface SessionQuestion {
  readonly property: string
  /** The same for every request of a session. */
  readonly session: string
  /** The client's, as RFC 5952 spells it. */
  readonly address: string
  /** ISO 3166, where a database knows it. */
  readonly country?: string
  /** Normalised, without query. */
  readonly path: string
  readonly method: string
  /** Without query. */
  readonly referer: string | null
  readonly userAgent: string | null
  readonly edge: string
  /** ISO 8601, UTC. */
  readonly time: string
}

interface EventBase {
  /** Unique: a batch that was sent twice, since its answer was lost, is known by it. */
  readonly id: string
  readonly property: string
  readonly edge: string
  /** ISO 8601, UTC. */
  readonly time: string
}

export interface SessionStartEvent extends EventBase {
  readonly kind: 'session-start'
  readonly session: string
  readonly address: string
  readonly userAgent: string | null
}

export interface SessionEndEvent extends EventBase {
  readonly kind: 'session-end'
  readonly session: string
  readonly address: string
  /** idle: no request for a while. denied: the hook no longer admits it. drained: the edge stops. */
  readonly why: 'idle' | 'denied' | 'drained'
  readonly requests: number
  /** Of bodies. */
  readonly bytes: number
  /** From its first request to the end of its last. */
  readonly seconds: number
  /** Of the last request, without query. */
  readonly lastPath: string
}

/** Requests refused for one reason: the first at once, what follows counted together. */
export interface DenialsEvent extends EventBase {
  readonly kind: 'denials'
  /** The word of the log and the metrics. */
  readonly reason: string
  readonly status: number
  readonly count: number
  /** In which they came; 0: the first of a burst, alone. */
  readonly seconds: number
  /** Of the last of them. */
  readonly address: string
}

/** POST to `events.url` is a list of these, oldest first. Any 2xx takes it. */
export type EdgeEvent = SessionStartEvent | SessionEndEvent | DenialsEvent

/** The field that signs a body, where a key is configured: `sha256=` and 64 hex digits. */
export const SIGNATURE_FIELD = 'Edgeward-Signature'

export function signatureOf(key: string, body: string): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`
}

/** For a service that is called: takes the same time wherever the two differ. */
export function signatureMatches(key: string, body: string, field: string): boolean {
  const expected = Buffer.from(signatureOf(key, body))
  const given = Buffer.from(field)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
