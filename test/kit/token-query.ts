// A request as token schemes see it, and one token's way through a scheme as the token gate takes it.
import assert from 'node:assert'
import { isRenewable } from '../../src/token/renewal.ts'
import type { RenewableClaims } from '../../src/token/renewal.ts'
import { judgeClaims } from '../../src/token/token.ts'
import type { Claims, TokenQuery, TokenRefusal, TokenScheme } from '../../src/token/token.ts'

export interface Asked {
  target: string
  host?: string
  scheme?: 'http' | 'https'
  method?: string
  address?: string
  nowMs?: number
  /** Lower-case names. */
  fields?: Readonly<Record<string, string>>
}

export function tokenQuery(asked: Asked): TokenQuery {
  const { target, host = 'cdni.example', scheme = 'http', method = 'GET', address = '192.0.2.1' } = asked
  const { nowMs = 1_646_800_000_000, fields = {} } = asked
  return { target, scheme, host, method, address, nowMs, header: (name) => fields[name] }
}

/** What becomes of a request; null: it is admitted. */
export async function judged(scheme: TokenScheme, asked: Asked): Promise<TokenRefusal | null> {
  const claims = await claimsOf(scheme, asked)
  const query = tokenQuery(asked)
  return typeof claims === 'string' ? claims : judgeClaims(claims, scheme.take(query).target, query, 0)
}

export async function claimsOf(scheme: TokenScheme, asked: Asked): Promise<Claims | TokenRefusal> {
  const query = tokenQuery(asked)
  const taken = scheme.take(query)
  return taken.token === null ? 'token_missing' : scheme.authenticate(taken.token, taken, query)
}

/** Of a token that is authentic, and to be renewed. */
export async function renewableOf(scheme: TokenScheme, asked: Asked): Promise<RenewableClaims> {
  const claims = await claimsOf(scheme, asked)
  assert(typeof claims !== 'string' && isRenewable(claims), 'not renewable')
  return claims
}
