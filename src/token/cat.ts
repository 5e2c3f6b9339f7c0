// Common Access Token (CTA-5007): a CBOR web token in the field CTA-Common-Access-Token, the query or a cookie. The
// signature covers nothing of the request, so that an authentic token can be remembered by its text. Claims are read
// in cat-claims.ts, renewal (`catr`) is in cat-renewal.ts.
import { cookiesOf } from '../http/cookies.ts'
import { parseCatPayload, readCatClaims } from './cat-claims.ts'
import type { CatClaimSettings, CatPayload } from './cat-claims.ts'
import { renewableCat } from './cat-renewal.ts'
import { encodeCbor } from './cbor.ts'
import { openCose, sealCose } from './cose.ts'
import { KEYS_MAX, liveKey, signingKeyOf } from './named-key.ts'
import type { LiveKey, NamedKey } from './named-key.ts'
import { eitherOf, presentedText, presentedTokens } from './renewal.ts'
import { namesAmong } from './request-uri.ts'
import type { Authenticated, Taken, TokenQuery, TokenScheme } from './token.ts'

export interface CatSettings {
  /** Name in query or cookie; the field and a cookie of the field's name count as well. */
  readonly parameter: string
  readonly keys: readonly NamedKey[]
  /** `iss` that are taken; none: any. */
  readonly issuers: readonly string[]
  readonly audience?: string | undefined
  /** For renewed tokens; its tokens are taken like those of `keys`. */
  readonly signingKey?: NamedKey | undefined
  /** Of the property: names under which URIs were signed that now come by an edge's own name. */
  readonly hosts?: readonly string[] | undefined
}

export const CAT_FIELD = 'cta-common-access-token'
const CAT_COOKIES = ['CTA-Common-Access-Token', CAT_FIELD]
/** Longest token in base64url: what CTA-5007 recommends as a bound. */
export const CAT_CHARS_MAX = 4096

/** Throws an Error when a key cannot be used. */
export function cat(settings: CatSettings): TokenScheme {
  const signing = settings.signingKey === undefined ? null : signingKeyOf(settings.signingKey, [])
  const keys = settings.keys.map(liveKey)
  if (signing !== null) keys.push(signing)
  if (keys.length > KEYS_MAX) throw new Error(`there are more than ${KEYS_MAX} keys`)
  const claimSettings: CatClaimSettings = {
    issuers: settings.issuers,
    audience: settings.audience ?? null,
    hosts: namesAmong(settings.hosts ?? []),
  }
  const cookieNames = new Set([settings.parameter, ...CAT_COOKIES])

  function authenticateOne(token: string): Authenticated {
    if (token.length > CAT_CHARS_MAX || !/^[A-Za-z0-9_-]+={0,2}$/.test(token)) return 'token_malformed'
    const bytes = openCose(Buffer.from(token, 'base64url'), keys)
    if (typeof bytes === 'string') return bytes
    const payload = parseCatPayload(bytes)
    if (payload === null) return 'token_malformed'
    const claims = readCatClaims(payload, claimSettings)
    if (typeof claims === 'string') return claims
    return renewableCat(claims, payload, {
      token,
      cookieNames,
      seal: signing === null ? null : (next) => seal(next, signing),
    })
  }

  return {
    name: 'cat',
    carriers: { cookies: [...cookieNames], fields: [CAT_FIELD] },
    statuses: {},
    take(query: TokenQuery): Taken {
      const { tokens, target } = takeFromQuery(query.target, settings.parameter)
      const field = query.header(CAT_FIELD)
      const cookie = query.header('cookie')
      const cookies = cookie === undefined ? [] : [...cookieNames].flatMap((name) => cookiesOf(cookie, name))
      return {
        token: presentedText([...(field === undefined ? [] : [field.trim()]), ...tokens, ...cookies]),
        target,
      }
    },
    nameOf: (token) => token,
    authenticate: (token: string) => eitherOf(presentedTokens(token).map(authenticateOne)),
  }
}

/** A token in base64url; claims by their CWT keys. Throws where there is no key to sign with. */
export function signCat(settings: Pick<CatSettings, 'keys' | 'signingKey'>, claims: CatPayload): string {
  return seal(claims, signingKeyOf(settings.signingKey, settings.keys))
}

function seal(claims: CatPayload, key: LiveKey): string {
  return sealCose(encodeCbor(claims), key).toString('base64url')
}

function takeFromQuery(target: string, name: string): { tokens: string[]; target: string } {
  const question = target.indexOf('?')
  if (question < 0 || !target.includes(`${name}=`, question)) return { tokens: [], target }
  const parameters = target.slice(question + 1).split('&')
  const kept = parameters.filter((parameter) => !parameter.startsWith(`${name}=`))
  const tokens = parameters
    .filter((parameter) => parameter.startsWith(`${name}=`))
    .map((parameter) => parameter.slice(name.length + 1).replaceAll(/%3d/gi, '='))
  const path = target.slice(0, question)
  return { tokens, target: kept.length === 0 ? path : `${path}?${kept.join('&')}` }
}
