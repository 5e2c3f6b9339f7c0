// `catr` of CTA-5007: a token that asks to be replaced by one that holds longer, near its end, in a cookie or a field.
// A renewal by redirect is not made: the client keeps its token until the end.
import { cookiesOf } from '../http/cookies.ts'
import { isMap } from './cbor.ts'
import type { Cbor } from './cbor.ts'
import { CLAIM } from './cat-claims.ts'
import type { CatPayload } from './cat-claims.ts'
import type { Renewal, RenewableClaims } from './renewal.ts'
import type { Claims, TokenQuery, TokenRefusal } from './token.ts'

/** Parts of the claim. */
const TYPE = 0
const SECONDS = 1
const DEADLINE = 2
const COOKIE_NAME = 3
const HEADER_NAME = 4
const COOKIE_PARAMETERS = 5
const HEADER_PARAMETERS = 6

const BY_ANY = 0
const BY_COOKIE = 1
const BY_HEADER = 2
const BY_REDIRECT = 3

/** Seconds before the end when the token does not say. */
const DEADLINE_S = 60
const RENEWAL_S_MAX = 315_360_000
const FIELD = 'CTA-Common-Access-Token'
const COOKIE = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,64}$/
/** Fields that a token may have itself sent in: a framing field or a redirect is not its to write. */
const FIELD_NAME = /^(?:cta|x)-[a-z0-9-]{1,60}$/i
/** Of a cookie or a field: printable, and of one line. */
const PARAMETER = /^[\x20-\x3a\x3c-\x7e]{1,128}$/

export interface CatRenewalSettings {
  readonly token: string
  readonly cookieNames: ReadonlySet<string>
  /** null: nothing is renewed. */
  readonly seal: ((payload: CatPayload) => string) | null
}

/** The claims, renewable where the token asks for it and a key signs here. */
export function renewableCat(
  claims: Claims,
  payload: CatPayload,
  settings: CatRenewalSettings,
): Claims | TokenRefusal {
  const claim = payload.get(CLAIM.catr)
  if (claim === undefined) return claims
  const wish = readWish(claim)
  if (typeof wish === 'string') return wish
  const { seal, token } = settings
  const { expiresMs } = claims
  if (seal === null || expiresMs === null || wish.type === BY_REDIRECT) return claims
  const renewable: RenewableClaims = {
    ...claims,
    renew(_target: string, query: TokenQuery): Promise<Renewal | null> {
      if (query.nowMs < expiresMs - wish.deadline * 1000) return Promise.resolve(null)
      const now = Math.floor(query.nowMs / 1000)
      const next = new Map(payload)
      next.set(CLAIM.exp, now + wish.seconds)
      if (next.has(CLAIM.iat)) next.set(CLAIM.iat, now)
      const by =
        wish.type === BY_HEADER || (wish.type === BY_ANY && cameByField(query, token)) ? 'header' : 'cookie'
      return Promise.resolve({
        token: seal(next),
        by,
        name: by === 'header' ? wish.headerName : (wish.cookieName ?? cookieOf(query, settings)),
        path: '/',
        parameters: by === 'header' ? wish.headerParameters : wish.cookieParameters,
        holdsMs: wish.seconds * 1000,
      })
    },
  }
  return renewable
}

function cameByField(query: TokenQuery, token: string): boolean {
  return query.header(FIELD.toLowerCase())?.trim() === token
}

/** The cookie that it came in, or the usual one. */
function cookieOf(query: TokenQuery, { cookieNames, token }: CatRenewalSettings): string {
  const cookie = query.header('cookie')
  return [...cookieNames].find((name) => cookiesOf(cookie, name).includes(token)) ?? FIELD
}

interface Wish {
  readonly type: number
  readonly seconds: number
  readonly deadline: number
  readonly cookieName: string | null
  readonly headerName: string
  readonly cookieParameters: readonly string[]
  readonly headerParameters: readonly string[]
}

function readWish(claim: Cbor): Wish | TokenRefusal {
  if (!isMap(claim)) return 'token_malformed'
  const type = claim.get(TYPE)
  const seconds = claim.get(SECONDS)
  const deadline = claim.get(DEADLINE) ?? DEADLINE_S
  if (typeof type !== 'number' || !isSeconds(seconds) || !isSeconds(deadline)) return 'token_malformed'
  if (![BY_ANY, BY_COOKIE, BY_HEADER, BY_REDIRECT].includes(type)) return 'token_unsupported'
  const cookieName = nameOf(claim.get(COOKIE_NAME), COOKIE)
  const headerName = nameOf(claim.get(HEADER_NAME), FIELD_NAME)
  const cookieParameters = parametersOf(claim.get(COOKIE_PARAMETERS))
  const headerParameters = parametersOf(claim.get(HEADER_PARAMETERS))
  if (cookieName === undefined || headerName === undefined) return 'token_malformed'
  if (cookieParameters === undefined || headerParameters === undefined) return 'token_malformed'
  const whole = Math.floor(seconds)
  return {
    type,
    seconds: whole,
    deadline,
    cookieName,
    headerName: headerName ?? FIELD,
    cookieParameters,
    headerParameters,
  }
}

function isSeconds(value: Cbor | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= RENEWAL_S_MAX
}

function nameOf(value: Cbor | undefined, form: RegExp): string | null | undefined {
  if (value === undefined) return null
  return typeof value === 'string' && form.test(value) ? value : undefined
}

/** They go into a reply's head as they are. */
function parametersOf(value: Cbor | undefined): string[] | undefined {
  if (value === undefined) return []
  const parameters: unknown[] = Array.isArray(value) ? value : [value]
  const texts = parameters.filter((parameter) => typeof parameter === 'string' && PARAMETER.test(parameter))
  return texts.length === parameters.length && texts.length <= 8 ? texts.map(String) : undefined
}
