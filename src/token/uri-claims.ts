// What an authentic JWT of RFC 9246 says (§2.1), and its successor where it is to be renewed (§3).
import { compactDecrypt } from 'jose'
import { cookiesOf } from '../http/cookies.ts'
import { formatNetwork, networkOf, parseIp } from '../net/ip.ts'
import type { Renewal, RenewableClaims } from './renewal.ts'
import { someUri } from './request-uri.ts'
import type { Authenticated, Claims, TokenQuery, TokenRefusal } from './token.ts'
import { parseUriContainer } from './uri-container.ts'

export interface UriClaimSettings {
  readonly parameter: string
  readonly issuers: readonly string[]
  readonly audience: string | null
  readonly decryptionKey: Uint8Array | null
  /** Lower case, exact. */
  readonly hosts: readonly string[]
  /** Signs a successor; null: nothing is renewed. */
  readonly renew: ((payload: Readonly<Record<string, unknown>>) => Promise<string>) | null
}

type Payload = Readonly<Record<string, unknown>>

/** Claims of one token. */
const CLAIMS_MAX = 64
/** Ten years: beyond it, seconds are milliseconds or nonsense. */
const RENEWAL_S_MAX = 315_360_000
const VERSION = 1

/** How a token is passed on (§6.5, the registry of cdnistt). */
const BY_COOKIE = 1
const BY_QUERY = 2

export async function readUriClaims(
  token: string,
  bytes: Uint8Array,
  settings: UriClaimSettings,
): Promise<Authenticated> {
  const payload = parsePayload(bytes)
  if (payload === null) return 'token_malformed'
  const refusal = checkGeneral(payload, settings)
  if (refusal !== null) return refusal
  const startsMs = timeOf(payload['nbf'])
  const expiresMs = timeOf(payload['exp'])
  const container = payload['cdniuc']
  if (startsMs === undefined || expiresMs === undefined || typeof container !== 'string')
    return 'token_malformed'
  const admits = parseUriContainer(container)
  if (typeof admits === 'string') return admits
  const transport = transportOf(payload)
  if (typeof transport === 'string') return transport
  const address = await addressOf(payload['cdniip'], settings.decryptionKey)
  if (address !== null && address.refusal !== null) return address.refusal
  const claims: Claims = {
    startsMs,
    expiresMs,
    address: address === null ? null : address.network,
    covers: (target, query) => someUri(target, query, settings.hosts, admits),
  }
  return transport === null || settings.renew === null
    ? claims
    : renewable(claims, token, payload, transport, settings)
}

/** Version, critical extensions, issuer, audience, identifier. */
function checkGeneral(payload: Payload, settings: UriClaimSettings): TokenRefusal | null {
  const { cdniv, cdnicrit, iss, aud } = payload
  if (cdniv !== undefined && cdniv !== VERSION) return 'token_unsupported'
  // §2.1.9: names of extensions, of which none is known here.
  if (cdnicrit !== undefined) return typeof cdnicrit === 'string' ? 'token_unsupported' : 'token_malformed'
  // §2.1.7: who stores no identifiers must refuse tokens that have one.
  if (payload['jti'] !== undefined) return 'token_unsupported'
  if (iss !== undefined && typeof iss !== 'string') return 'token_malformed'
  if (typeof iss === 'string' && settings.issuers.length > 0 && !settings.issuers.includes(iss))
    return 'token_wrong'
  return aud === undefined ? null : checkAudience(aud, settings.audience)
}

/** RFC 7519 §4.1.3: a token that is for others is refused; without a name of our own, it is for others. */
export function checkAudience(aud: unknown, audience: string | null): TokenRefusal | null {
  const named = Array.isArray(aud) ? aud : [aud]
  if (!named.every((name) => typeof name === 'string')) return 'token_malformed'
  if (audience === null) return 'token_unsupported'
  return named.includes(audience) ? null : 'token_out_of_scope'
}

/** Milliseconds; null: absent; undefined: not a time. */
export function timeOf(seconds: unknown): number | null | undefined {
  if (seconds === undefined) return null
  const isTime = typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0
  return isTime && seconds <= TIME_S_MAX ? Math.floor(seconds * 1000) : undefined
}

/** The last second of Date. */
const TIME_S_MAX = 8_640_000_000_000

function parsePayload(bytes: Uint8Array): Payload | null {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  return Object.keys(value).length > CLAIMS_MAX ? null : { ...value }
}

/** §2.1.10: a JWE that holds an address or prefix; the examples of the RFC put it into square brackets. */
async function addressOf(
  claim: unknown,
  key: Uint8Array | null,
): Promise<{ network: string; refusal: null } | { network: null; refusal: TokenRefusal } | null> {
  if (claim === undefined) return null
  if (typeof claim !== 'string') return { network: null, refusal: 'token_malformed' }
  if (key === null) return { network: null, refusal: 'token_unsupported' }
  let text
  try {
    const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ENCRYPTIONS }
    text = new TextDecoder().decode((await compactDecrypt(claim, key, options)).plaintext)
  } catch {
    return { network: null, refusal: 'token_wrong' }
  }
  const parts = /^\[?([0-9A-Fa-f:.]{2,45})(?:\/(\d{1,3}))?\]?$/.exec(text)
  const ip = parts?.[1] === undefined ? undefined : parseIp(parts[1])
  if (ip === undefined) return { network: null, refusal: 'token_malformed' }
  const bits = ip.family === 4 ? 32 : 128
  const length = parts?.[2] === undefined ? bits : Number(parts[2])
  if (length > bits) return { network: null, refusal: 'token_malformed' }
  return { network: formatNetwork(networkOf(ip, length)), refusal: null }
}

const ENCRYPTIONS = ['A128GCM', 'A192GCM', 'A256GCM', 'A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512']

interface Transport {
  readonly by: 'cookie' | 'query'
  readonly seconds: number
  /** Segments of the path that the cookie is for. */
  readonly depth: number
}

/** §2.1.12 to §2.1.14; null: nothing is to be renewed. */
function transportOf({ cdniets, cdnistt, cdnistd }: Payload): Transport | TokenRefusal | null {
  if (cdniets === undefined && cdnistt === undefined && cdnistd === undefined) return null
  // §3.2.1: both or none, even where cdnistt is 0.
  if (typeof cdniets !== 'number' || typeof cdnistt !== 'number') return 'token_malformed'
  if (cdnistt === 0) return null
  if (cdnistt !== BY_COOKIE && cdnistt !== BY_QUERY) return 'token_unsupported'
  const depth = cdnistd ?? 0
  if (!(cdniets >= 1 && cdniets <= RENEWAL_S_MAX)) return 'token_malformed'
  if (typeof depth !== 'number' || !Number.isInteger(depth) || depth < 0) return 'token_malformed'
  return { by: cdnistt === BY_COOKIE ? 'cookie' : 'query', seconds: cdniets, depth }
}

function renewable(
  claims: Claims,
  token: string,
  payload: Payload,
  transport: Transport,
  { parameter, renew }: UriClaimSettings,
): RenewableClaims {
  return {
    ...claims,
    async renew(target: string, query: TokenQuery): Promise<Renewal | null> {
      const path = leadingPath(target, transport.depth)
      if (renew === null || path === null) return null
      const holdsMs = transport.seconds * 1000
      // A player asks for many segments in the life of a token: a cookie that is still young does for the next one.
      const young = claims.expiresMs === null || claims.expiresMs - query.nowMs > holdsMs / 2
      if (young && cookiesOf(query.header('cookie'), parameter).includes(token)) return null
      const now = Math.floor(query.nowMs / 1000)
      const next: Record<string, unknown> = { ...payload, exp: now + Math.floor(transport.seconds) }
      if (payload['iat'] !== undefined) next['iat'] = now
      const successor = await renew(next)
      return { token: successor, by: transport.by, name: parameter, path, parameters: [], holdsMs }
    },
  }
}

/** §2.1.14: the first `depth` segments. null: there are fewer, and nothing may be renewed. */
function leadingPath(target: string, depth: number): string | null {
  const question = target.indexOf('?')
  const segments = (question < 0 ? target : target.slice(0, question)).split('/')
  if (depth === 0) return '/'
  // A path that a cookie's attributes could not hold is of no use in one.
  const path = segments.slice(0, depth + 1).join('/')
  return segments.length - 1 < depth || /[;,\s]/.test(path) ? null : path
}
