// What all token schemes share: what a client presents, what a token claims, and the words for why it is refused.
// A scheme takes its token off the request's target, authenticates it, and signs targets; whether an authentic
// token admits this request now is judged here, in one place for all of them.

import { contains, parseIp, parseNetwork } from '../net/ip.ts'
/** Why a token does not admit a request; the log, the metrics and `edgeward explain` use the same words. */
export type TokenRefusal =
  | 'token_missing'
  | 'token_malformed'
  | 'token_wrong'
  | 'token_expired'
  | 'token_early'
  | 'token_out_of_scope'
  | 'token_address'
  | 'token_unsupported'

/** The parts of a request that a token may speak of. */
export interface TokenQuery {
  /** Origin-form, as received, without a `/~property` prefix. */
  readonly target: string
  readonly scheme: 'http' | 'https'
  /** Host field, as received. */
  readonly host: string
  readonly method: string
  /** The client's address (RFC 5952 text; IPv4-mapped ones as IPv4). '' when it is not known. */
  readonly address: string
  readonly nowMs: number
  header(lowerName: string): string | undefined
}

/** The same request for another target; its address is still worked out when a token speaks of it, and not before. */
export function withTarget(query: TokenQuery, target: string): TokenQuery {
  const { scheme, host, method, nowMs } = query
  return {
    target,
    scheme,
    host,
    method,
    nowMs,
    get address() {
      return query.address
    },
    header: (name) => query.header(name),
  }
}

/** A request's target without its token, and the token. */
export interface Taken {
  /** null: none was presented. Never logged. */
  readonly token: string | null
  /** What is left for the cache key, the origin and the log. */
  readonly target: string
}

/** What an authentic token says. */
export interface Claims {
  /** Milliseconds since the epoch; null: no such bound. */
  readonly startsMs: number | null
  readonly expiresMs: number | null
  /** An address or network in CIDR form that alone may use it; null: anyone. */
  readonly address: string | null
  /** Covers the request? `target` is the one without token. */
  covers(target: string, query: TokenQuery): boolean
}

/** Of a scheme whose tokens stand in the target alone. */
export const TARGET_ONLY: TokenScheme['carriers'] = { cookies: [], fields: [] }

export type Authenticated = Claims | TokenRefusal

export interface TokenScheme {
  /** Its name in the configuration. */
  readonly name: string
  /** Never throws. A target without token comes back as it is. */
  take(query: TokenQuery): Taken
  /**
   * All that `authenticate` depends on besides its keys, as one string: the token, and of the request what its
   * signature covers. Under it an authentic token is remembered. null: do not remember it.
   */
  nameOf(token: string, taken: Taken, query: TokenQuery): string | null
  /** Checks the form and the signature; in constant time where secrets are compared. Never throws or rejects. */
  authenticate(token: string, taken: Taken, query: TokenQuery): Authenticated | Promise<Authenticated>
  /** Where tokens come besides the target: cookies by name, request fields by lower-case name. */
  readonly carriers: { readonly cookies: readonly string[]; readonly fields: readonly string[] }
  /** HTTP statuses where they differ from 403. */
  readonly statuses: Readonly<Partial<Record<TokenRefusal, number>>>
}

/** Whether an authentic token admits this request; null: it does. */
export function judgeClaims(
  claims: Claims,
  target: string,
  query: TokenQuery,
  skewMs: number,
): TokenRefusal | null {
  if (claims.startsMs !== null && query.nowMs + skewMs < claims.startsMs) return 'token_early'
  if (claims.expiresMs !== null && query.nowMs - skewMs >= claims.expiresMs) return 'token_expired'
  if (!claims.covers(target, query)) return 'token_out_of_scope'
  if (claims.address !== null && !addressWithin(claims.address, query.address)) return 'token_address'
  return null
}

function addressWithin(bound: string, address: string): boolean {
  if (bound === address) return true
  const network = parseNetwork(bound)
  const ip = parseIp(address)
  return network !== undefined && ip !== undefined && contains(network, ip)
}
