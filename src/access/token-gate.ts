// The token check of a property, for both daemons: takes tokens and grants off a target, and says whether one of them
// admits the request. What was found authentic is remembered, so that a player's next segment costs a look-up.
import { LRUCache } from 'lru-cache'
import { cookiesWithPrefix } from '../http/cookies.ts'
import { normalisePath } from '../http/normal-path.ts'
import { isRenewable, isSeveral } from '../token/renewal.ts'
import type { RenewableClaims } from '../token/renewal.ts'
import { judgeClaims, withTarget } from '../token/token.ts'
import type { Authenticated, Claims, Taken, TokenQuery, TokenRefusal, TokenScheme } from '../token/token.ts'
import { grantCookiePrefix, takeGrant } from './grant-carrier.ts'
import type { CarriedGrant } from './grant-carrier.ts'
import type { GrantKeys, GrantScope } from './grant.ts'
import { hidesClimb } from './origin-reading.ts'

/** Authentic tokens remembered, a property: beyond either the least used is checked anew. */
export const REMEMBERED_MAX = 50_000
/** One token may come in many spellings of up to 16 KiB, all of them authentic: counting alone bounds little. */
export const REMEMBERED_BYTES_MAX = 32 * 2 ** 20
/** Claims, and an entry of the table: about. */
const REMEMBERED_ENTRY_BYTES = 600

export interface TokenGateSettings {
  readonly propertyId: string
  readonly scheme: TokenScheme
  readonly grants: GrantKeys
  readonly skewMs: number
  /** Paths (normalised) that need no token. */
  isFree(path: string): boolean
}

/** What a request brought, taken off its target. */
export interface Presented {
  /** For the key, the origin and the log. */
  readonly target: string
  readonly grant: CarriedGrant
  readonly taken: Taken
}

export interface CameGrant {
  readonly text: string
  readonly by: 'path' | 'query' | 'cookie'
  readonly scope: GrantScope
}

/** What let a request in. */
export interface Admission {
  /** Of the grant; null: a token of the property's scheme, which names none. */
  readonly session: string | null
  /** Milliseconds since the epoch; null: no end. */
  readonly expiresMs: number | null
  /** Holds for this client address only. */
  readonly bound: boolean
  /** The grant as it came, and where it stood. */
  readonly grant: CameGrant | null
  /** Of a token that is to be replaced while it is used. */
  readonly renewable: RenewableClaims | null
}

export type TokenJudgement =
  | { readonly admitted: Admission | null; readonly refusal: null }
  | { readonly admitted: null; readonly refusal: TokenRefusal; readonly status: number }

/** The path needs none. */
const FREE: TokenJudgement = { admitted: null, refusal: null }

export class TokenGate {
  private readonly settings: TokenGateSettings
  private readonly remembered = new LRUCache<string, Claims>({
    max: REMEMBERED_MAX,
    maxSize: REMEMBERED_BYTES_MAX,
    // What the claims hold of the token is as long again.
    sizeCalculation: (_claims, name) => 2 * name.length + REMEMBERED_ENTRY_BYTES,
  })

  constructor(settings: TokenGateSettings) {
    this.settings = settings
  }

  get rememberedCount(): number {
    return this.remembered.size
  }

  take(query: TokenQuery): Presented {
    const grant = takeGrant(query.target)
    const taken = this.settings.scheme.take(
      grant.target === query.target ? query : withTarget(query, grant.target),
    )
    return { target: taken.target, grant, taken }
  }

  /** Without waiting, unless the scheme's own check of a token that is new here does. */
  judge(presented: Presented, query: TokenQuery): TokenJudgement | Promise<TokenJudgement> {
    const path = pathOf(presented.target)
    if (path === null) return this.refused('token_malformed')
    if (this.settings.isFree(path)) return FREE
    // No scope can be told of it: what is below a directory here may be anywhere for the origin.
    if (hidesClimb(path)) return this.refused('token_out_of_scope')
    const { grant, taken } = presented
    // In the URL, a grant is what the playlist said, and a token is what its owner said: either will do.
    if (grant.text !== null && grant.by !== null) {
      const judged = this.judgeGrant(grant.text, grant.by, path, query)
      if (judged.refusal === null || taken.token === null) return judged
    }
    if (taken.token === null) return this.judgeCookies(path, query) ?? this.refused('token_missing')
    const authenticated = this.authenticate(taken.token, taken, query)
    return authenticated instanceof Promise
      ? authenticated.then((claims) => this.judgeToken(claims, presented, path, query))
      : this.judgeToken(authenticated, presented, path, query)
  }

  private authenticate(
    token: string,
    taken: Taken,
    query: TokenQuery,
  ): Authenticated | Promise<Authenticated> {
    const name = this.settings.scheme.nameOf(token, taken, query)
    const known = name === null ? undefined : this.remembered.get(name)
    if (known !== undefined) return known
    const found = this.settings.scheme.authenticate(token, taken, query)
    return found instanceof Promise
      ? found.then((claims) => this.remember(name, claims))
      : this.remember(name, found)
  }

  private remember(name: string | null, found: Authenticated): Authenticated {
    if (name !== null && typeof found !== 'string') this.remembered.set(name, found)
    return found
  }

  private judgeToken(
    found: Authenticated,
    { target }: Presented,
    path: string,
    query: TokenQuery,
  ): TokenJudgement {
    const refusal = typeof found === 'string' ? found : this.judgeSpellings(found, target, path, query)
    if (refusal === null && typeof found !== 'string') {
      const { expiresMs, address } = (isSeveral(found) ? found.admitting(target, query) : undefined) ?? found
      const renewable = isRenewable(found) ? found : null
      const bound = address !== null
      return { admitted: { session: null, expiresMs, bound, grant: null, renewable }, refusal: null }
    }
    // A token that is no good does not outweigh a grant that came with it.
    const judged = this.judgeCookies(path, query)
    return judged?.refusal === null ? judged : this.refused(refusal ?? 'token_wrong')
  }

  /** As it came, and in the one spelling that decides what is served: `/free/../paid/` is below `/free/` in one only. */
  private judgeSpellings(
    claims: Claims,
    target: string,
    path: string,
    query: TokenQuery,
  ): TokenRefusal | null {
    const refusal = judgeClaims(claims, target, query, this.settings.skewMs)
    if (refusal !== null || target.startsWith(path)) return refusal
    const question = target.indexOf('?')
    const normalised = question < 0 ? path : path + target.slice(question)
    return claims.covers(normalised, query) ? null : 'token_out_of_scope'
  }

  private judgeCookies(path: string, query: TokenQuery): TokenJudgement | null {
    const texts = cookiesWithPrefix(query.header('cookie'), grantCookiePrefix(this.settings.propertyId))
    let judged: TokenJudgement | null = null
    for (const text of texts.slice(0, COOKIES_MAX)) {
      judged = this.judgeGrant(text, 'cookie', path, query)
      if (judged.refusal === null) return judged
    }
    return judged
  }

  private judgeGrant(
    text: string,
    by: 'path' | 'query' | 'cookie',
    path: string,
    query: TokenQuery,
  ): TokenJudgement {
    const found = this.settings.grants.open(text, path, query.address)
    if (typeof found === 'string') return this.refused(found)
    if (query.nowMs - this.settings.skewMs >= found.expiresMs) return this.refused('token_expired')
    const { session, expiresMs, bound, scope } = found
    const grant = { text, by, scope }
    return { admitted: { session, expiresMs, bound, grant, renewable: null }, refusal: null }
  }

  private refused(refusal: TokenRefusal): TokenJudgement {
    return { admitted: null, refusal, status: this.settings.scheme.statuses[refusal] ?? 403 }
  }
}

/** Cookies that are looked at: each costs a MAC. */
const COOKIES_MAX = 8

function pathOf(target: string): string | null {
  const question = target.indexOf('?')
  return normalisePath(question < 0 ? target : target.slice(0, question))
}
