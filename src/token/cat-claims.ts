// What an authentic Common Access Token says (CTA-5007, claim keys of IANA's CWT registry). A claim that limits the
// use of a token and cannot be judged here refuses it: to let it pass would be to drop a limit that its issuer set.
import { contains, formatNetwork, networkOf, parseIp, parseNetwork } from '../net/ip.ts'
import type { IpNetwork } from '../net/ip.ts'
import { decodeCbor, isMap, isTag } from './cbor.ts'
import type { Cbor, CborKey, CborTag } from './cbor.ts'
import { readMatch, uriComponent } from './cat-match.ts'
import type { TextMatcher } from './cat-match.ts'
import { someUri } from './request-uri.ts'
import type { RequestUri } from './request-uri.ts'
import type { Claims, TokenQuery, TokenRefusal } from './token.ts'
import { checkAudience, timeOf } from './uri-claims.ts'

export const CLAIM = {
  iss: 1,
  sub: 2,
  aud: 3,
  exp: 4,
  nbf: 5,
  iat: 6,
  cti: 7,
  catreplay: 308,
  catv: 310,
  catnip: 311,
  catu: 312,
  catm: 313,
  cath: 315,
  catifdata: 320,
  catif: 322,
  catr: 323,
} as const

export interface CatClaimSettings {
  readonly issuers: readonly string[]
  readonly audience: string | null
  /** Lower case, exact. */
  readonly hosts: readonly string[]
}

export type CatPayload = ReadonlyMap<CborKey, Cbor>

/** Claims of one token, and entries of one claim. */
const ENTRIES_MAX = 64
const VERSION = 1

/** Claims that limit nothing. `catif` says what a refusal should look like: it is refused plainly. */
const INFORMATIVE: ReadonlySet<CborKey> = new Set([
  CLAIM.sub,
  CLAIM.iat,
  CLAIM.cti,
  CLAIM.catifdata,
  CLAIM.catif,
  CLAIM.catr,
])

type Check = (target: string, query: TokenQuery) => boolean

export function parseCatPayload(bytes: Uint8Array): CatPayload | null {
  const payload = decodeCbor(bytes)
  return isMap(payload) && payload.size <= ENTRIES_MAX ? payload : null
}

export function readCatClaims(payload: CatPayload, settings: CatClaimSettings): Claims | TokenRefusal {
  const checks: Check[] = []
  let address: string | null = null
  for (const [key, value] of payload) {
    if (INFORMATIVE.has(key) || key === CLAIM.exp || key === CLAIM.nbf) continue
    const read = readLimit(key, value, settings)
    if (typeof read === 'string') return read
    checks.push(...read.checks)
    address = read.address ?? address
  }
  const startsMs = timeOf(payload.get(CLAIM.nbf))
  const expiresMs = timeOf(payload.get(CLAIM.exp))
  if (startsMs === undefined || expiresMs === undefined) return 'token_malformed'
  return {
    startsMs,
    expiresMs,
    address,
    covers: (target, query) => checks.every((holds) => holds(target, query)),
  }
}

interface Limit {
  readonly checks: readonly Check[]
  readonly address: string | null
}

const NO_LIMIT: Limit = { checks: [], address: null }

function readLimit(key: CborKey, value: Cbor, settings: CatClaimSettings): Limit | TokenRefusal {
  if (key === CLAIM.iss) return checkIssuer(value, settings.issuers) ?? NO_LIMIT
  if (key === CLAIM.aud) return checkAudience(value, settings.audience) ?? NO_LIMIT
  if (key === CLAIM.catv) return value === VERSION ? NO_LIMIT : 'token_unsupported'
  // 1 and 2 ask for a memory of identifiers that edges do not share.
  if (key === CLAIM.catreplay) return value === 0 ? NO_LIMIT : 'token_unsupported'
  if (key === CLAIM.catm) return readMethods(value)
  if (key === CLAIM.catnip) return readNetworks(value)
  if (key === CLAIM.catu) return readUri(value, settings.hosts)
  return key === CLAIM.cath ? readHeaders(value) : 'token_unsupported'
}

function checkIssuer(iss: Cbor, issuers: readonly string[]): TokenRefusal | null {
  if (typeof iss !== 'string') return 'token_malformed'
  return issuers.length === 0 || issuers.includes(iss) ? null : 'token_wrong'
}

function readMethods(value: Cbor): Limit | TokenRefusal {
  const methods: unknown[] | null = Array.isArray(value) ? value : null
  if (methods === null || methods.length > ENTRIES_MAX) return 'token_malformed'
  if (!methods.every((method) => typeof method === 'string')) return 'token_malformed'
  return { checks: [(_target, query) => methods.includes(query.method)], address: null }
}

/** Of networks (RFC 9164) and AS numbers any one lets a client in; who is in an AS is not known here. */
function readNetworks(value: Cbor): Limit | TokenRefusal {
  if (!Array.isArray(value) || value.length === 0 || value.length > ENTRIES_MAX) return 'token_malformed'
  const entries: unknown[] = value
  const networks: IpNetwork[] = []
  for (const entry of entries) {
    if (!isTag(entry)) return 'token_unsupported'
    const network = readNetwork(entry)
    if (network === null) return 'token_malformed'
    networks.push(network)
  }
  const [only] = networks
  if (networks.length === 1 && only !== undefined) return { checks: [], address: formatNetwork(only) }
  const isIn: Check = (_target, { address }) => {
    const ip = parseIp(address)
    return ip !== undefined && networks.some((network) => contains(network, ip))
  }
  return { checks: [isIn], address: null }
}

/** RFC 9164 §3: an address, `[length, its bytes]`, or an address with a length; trailing zeros may be left out. */
function readNetwork({ tag, value }: CborTag): IpNetwork | null {
  const bits = tag === 52 ? 32 : tag === 54 ? 128 : 0
  const parts: unknown[] = Array.isArray(value) ? value : [bits, value]
  const [length, bytes] = typeof parts[0] === 'number' ? parts : [parts[1], parts[0]]
  if (parts.length !== 2 || bits === 0 || !(bytes instanceof Uint8Array) || bytes.length * 8 > bits)
    return null
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > bits) return null
  if (!Array.isArray(value) && bytes.length * 8 < bits) return null
  const padded = Buffer.alloc(bits / 8)
  padded.set(bytes)
  const text = bits === 32 ? padded.join('.') : (padded.toString('hex').match(/.{4}/g) ?? []).join(':')
  const ip = parseIp(text)
  return ip === undefined || ip.family !== (bits === 32 ? 4 : 6) ? null : networkOf(ip, length)
}

function readUri(value: Cbor, hosts: readonly string[]): Limit | TokenRefusal {
  if (!isMap(value) || value.size === 0) return 'token_malformed'
  const rules: [component: CborKey, matches: TextMatcher][] = []
  for (const [component, claim] of value) {
    if (typeof component !== 'number' || component < 0 || component > 8) return 'token_unsupported'
    const matches = readMatch(claim)
    if (typeof matches === 'string') return matches
    rules.push([component, matches])
  }
  const admits = (uri: RequestUri) =>
    rules.every(([component, matches]) => uriComponent(uri, component)?.some(matches) === true)
  return { checks: [(target, query) => someUri(target, query, hosts, admits)], address: null }
}

function readHeaders(value: Cbor): Limit | TokenRefusal {
  if (!isMap(value) || value.size > ENTRIES_MAX) return 'token_malformed'
  const checks: Check[] = []
  for (const [name, claim] of value) {
    const matches = readMatch(claim)
    if (typeof name !== 'string') return 'token_malformed'
    if (typeof matches === 'string') return matches
    checks.push((_target, query) => {
      const field = query.header(name.toLowerCase())
      return field !== undefined && matches(field)
    })
  }
  return { checks, address: null }
}

/** For signers: networks and addresses in their text form. null: one is neither. */
export function catNetworks(texts: readonly string[]): Cbor[] | null {
  const entries: Cbor[] = []
  for (const text of texts) {
    const network = parseNetwork(text)
    if (network === undefined) return null
    const bytes = addressBytes(network)
    const bits = bytes.length * 8
    const value = network.prefixLength === bits ? bytes : [network.prefixLength, bytes]
    entries.push({ tag: bits === 32 ? 52 : 54, value })
  }
  return entries
}

function addressBytes({ address }: IpNetwork): Buffer {
  const { a, b, c, d } = address
  const words = address.family === 4 ? [d] : [a, b, c, d]
  const bytes = Buffer.alloc(words.length * 4)
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, i * 4)
  return bytes
}
