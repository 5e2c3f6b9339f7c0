// Tokens that are to be replaced while they are used (RFC 9246 §3, `catr` of CTA-5007): what a scheme's claims offer
// beyond admitting a request, and the Set-Cookie field that takes the new token to the client.
import { setCookie } from '../http/cookies.ts'
import type { CookieAttributes } from '../http/cookies.ts'
import { judgeClaims } from './token.ts'
import type { Authenticated, Claims, TokenQuery } from './token.ts'

/** A new token, and how its issuer wants it taken to the client. */
export interface Renewal {
  readonly token: string
  /** `query`: only into a URI that the client is redirected to anyway. */
  readonly by: 'cookie' | 'header' | 'query'
  /** Of the cookie, the field or the parameter. */
  readonly name: string
  /** Path of the cookie, inside the property. */
  readonly path: string
  /** More parameters of the cookie or the field, checked to be harmless. */
  readonly parameters: readonly string[]
  /** How long the new token holds. */
  readonly holdsMs: number
}

export interface RenewableClaims extends Claims {
  /** After the token admitted this request. null: not now. Never rejects. */
  renew(target: string, query: TokenQuery): Promise<Renewal | null>
}

export function isRenewable(claims: Claims): claims is RenewableClaims {
  return 'renew' in claims
}

/** The value of Set-Cookie. `prefix` is what the client's path has in front of the property's, `/~shows` or ''. */
export function renewalCookie(
  { name, token, path, parameters, holdsMs }: Renewal,
  { prefix, ...settings }: { prefix: string } & Pick<CookieAttributes, 'secure' | 'sameSite'>,
): string {
  const attributes = { path: prefix + path, maxAgeS: Math.floor(holdsMs / 1000), ...settings }
  return [setCookie(name, token, attributes), ...parameters].join('; ')
}

/** Tokens that are looked at in one request: each costs a signature check. */
export const PRESENTED_MAX = 4
/** Between the tokens of one request; no token holds it. */
const BETWEEN = ' '

/**
 * One text for all tokens of a request. A player comes with the URL it was given and with the cookie that renewed it:
 * either will do, and only their signatures tell which is still good.
 */
export function presentedText(tokens: readonly string[]): string | null {
  if (tokens.length === 0) return null
  return [...new Set(tokens)]
    .slice(0, PRESENTED_MAX)
    .map((token) => token.replaceAll(BETWEEN, '_'))
    .join(BETWEEN)
}

export function presentedTokens(text: string): string[] {
  return text.split(BETWEEN, PRESENTED_MAX)
}

/** What several tokens of one request say together. */
export interface SeveralClaims extends RenewableClaims {
  /** The one that admits the request: its end and its address are what a grant goes by, not those of the others. */
  admitting(target: string, query: TokenQuery): Claims | undefined
}

export function isSeveral(claims: Claims): claims is SeveralClaims {
  return 'admitting' in claims
}

/** Of several tokens: a request that one of them admits is admitted. */
export function eitherOf(found: readonly Authenticated[]): Authenticated {
  const several = found.filter((claims) => typeof claims !== 'string')
  const first = several[0]
  if (first === undefined) return found[0] ?? 'token_malformed'
  if (several.length === 1) return first
  const admitting = (target: string, query: TokenQuery) =>
    several
      .filter((claims) => judgeClaims(claims, target, query, 0) === null)
      .toSorted((a, b) => (b.expiresMs ?? Infinity) - (a.expiresMs ?? Infinity))[0]
  const either: SeveralClaims = {
    startsMs: outermost(several, 'startsMs', Math.min),
    expiresMs: outermost(several, 'expiresMs', Math.max),
    address: several.every(({ address }) => address === first.address) ? first.address : null,
    admitting,
    covers: (target, query) => admitting(target, query) !== undefined,
    async renew(target: string, query: TokenQuery): Promise<Renewal | null> {
      const latest = admitting(target, query)
      return latest !== undefined && isRenewable(latest) ? latest.renew(target, query) : null
    },
  }
  return either
}

function outermost(
  several: readonly Claims[],
  bound: 'startsMs' | 'expiresMs',
  of: (...values: number[]) => number,
): number | null {
  const values = several.map((claims) => claims[bound])
  const known = values.filter((value) => value !== null)
  return known.length < values.length ? null : of(...known)
}
