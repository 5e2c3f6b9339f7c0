// Akamai's tokens ("Auth Token 2.0"): `hdnts=st=…~exp=…~acl=…~hmac=…` in query or cookie, the HMAC of the fields before
// it under a key in hex. A token for one URL has no `acl`; its path is signed as a last field `url` that is not sent,
// a salt likewise. After akamai/EdgeAuth-Token-Python and -Node, which are the published reference.
//
// Each field may come once, and none but the known: a `url` in the token would let whoever names paths write
// `/x~acl=/*` into one, and so turn the token for it into one for everything.
import { createHmac, createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { cookiesOf } from '../http/cookies.ts'
import { normalisePath } from '../http/normal-path.ts'
import { parseNetwork } from '../net/ip.ts'
import { matchesAny } from './constant-time.ts'
import { aclCovers, parseAcl } from './hdnts-acl.ts'
import { pathOf, takeParameters, unescaped, withParameters } from './query-parameter.ts'
import { VALIDITY_DEFAULT_MS, asciiTarget, byteText, settingsError } from './signing.ts'
import type { SignOptions } from './signing.ts'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'
import type { Claims, Taken, TokenQuery, TokenScheme } from './token.ts'

export interface HdntsSettings {
  /** In hex. Any of them verifies, the first signs. */
  readonly keys: readonly string[]
  /** Names in query and cookie; the first that is there counts. Default: hdnts, hdnea. */
  readonly parameters?: readonly string[] | undefined
  /** Default: sha256. */
  readonly algorithm?: 'sha256' | 'sha1' | 'md5' | undefined
  readonly salt?: string | undefined
}

export interface HdntsSignOptions extends SignOptions {
  readonly startsMs?: number | undefined
  /** Paths with `*`, several parted by `!`. Left out: the token is for this path alone. */
  readonly acl?: string | undefined
  readonly id?: string | undefined
  readonly data?: string | undefined
  /** Akamai's "escape token input": address, id, data and url are percent-encoded before they are signed. */
  readonly escape?: boolean | undefined
}

/** A longer one is not looked at. */
const TOKEN_LENGTH_MAX = 4096

const FIELDS: ReadonlySet<string> = new Set(['ip', 'st', 'exp', 'acl', 'id', 'data'])
const MARK = '~hmac='

interface ReadToken {
  /** Everything before the HMAC. */
  readonly signed: string
  readonly presented: string
  /** null: the token is for one URL. */
  readonly acl: readonly string[] | null
  readonly startsMs: number | null
  readonly expiresMs: number
  readonly address: string | null
}

/** Throws `config_invalid` for settings that cannot work. */
export function createHdnts(settings: HdntsSettings): TokenScheme {
  const keys = keyObjects(settings)
  const names = namesOf(settings)
  return {
    name: 'hdnts',
    carriers: { cookies: names, fields: [] },
    statuses: {},
    take: (query) => take(query, names),
    // One with an acl is signed whatever the path.
    nameOf: (token, taken) => (hasAcl(unwrapped(token)) ? token : `${token} ${pathOf(taken.target)}`),
    authenticate(token, taken) {
      const read = readToken(unwrapped(token))
      if (read === undefined) return 'token_malformed'
      const path = pathOf(taken.target)
      const signs = (suffix: string) =>
        matchesAny(read.presented, keys, (key) => hmacOf(settings, key, read.signed + suffix))
      // Whether a URL was escaped before it was signed is not said; both forms mean this one path.
      const genuine =
        read.acl !== null ? signs('') : signs(`~url=${path}`) || signs(`~url=${escapeInput(path)}`)
      return genuine ? claimsOf(read, path) : 'token_wrong'
    },
  }
}

/** The target with the token behind its other parameters. Throws for options that cannot be written. */
export function signHdnts(settings: HdntsSettings, target: string, options: HdntsSignOptions): string {
  const names = namesOf(settings)
  const bare = takeParameters(asciiTarget(target), names).target
  const token = signHdntsToken(settings, pathOf(bare), options)
  // What would end the parameter or the URL: then the token is encoded as a whole, which is undone as a whole.
  const written = /[&#+"<>\\^`{|}]/.test(token) ? encodeURIComponent(token) : token
  return withParameters(bare, `${names[0] ?? ''}=${written}`)
}

/** The token alone, for a cookie. `path` counts where the options hold no acl. */
export function signHdntsToken(settings: HdntsSettings, path: string, options: HdntsSignOptions): string {
  const { nowMs, startsMs, expiresMs = nowMs + VALIDITY_DEFAULT_MS, address, acl, id, data } = options
  const escaped = options.escape === true ? escapeInput : (text: string) => text
  // In the order of Akamai's generators, which is part of what is signed.
  const fields = [
    address === undefined ? [] : ['ip', escaped(address)],
    startsMs === undefined ? [] : ['st', formatTimestamp(startsMs, 'decimal')],
    ['exp', formatTimestamp(expiresMs, 'decimal')],
    acl === undefined ? [] : ['acl', asciiTarget(acl).replaceAll('~', '%7E')],
    id === undefined ? [] : ['id', escaped(id)],
    data === undefined ? [] : ['data', escaped(data)],
  ].filter((field) => field.length > 0)
  const signed = fields.map((field) => field.join('=')).join('~')
  // A `~` would make one value into two fields, and so `me~acl=/*` into a key to everything.
  const plain = fields.every(([, value = '']) => /^[\x21-\x7d]*$/.test(value))
  const [key] = keyObjects(settings)
  if (key === undefined || !plain || readToken(`${signed}${MARK}0`) === undefined) {
    throw new RangeError('an option cannot stand in a token as it is')
  }
  const url = acl === undefined ? `~url=${escaped(path)}` : ''
  return signed + MARK + hmacOf(settings, key, signed + url)
}

function take(query: TokenQuery, names: readonly string[]): Taken {
  const { target, values } = takeParameters(query.target, names)
  const token = values.find((value) => value !== null)
  if (token !== undefined) return { target, token }
  const cookies = query.header('cookie')
  // Of two cookies of one name the first has the longer path (RFC 6265 §5.4): it was meant for this one.
  const cookie = names.flatMap((name) => cookiesOf(cookies, name).slice(0, 1))[0]
  return { target, token: cookie === undefined ? null : cookie.replace(/^"(.*)"$/, '$1') }
}

/** A client, or whoever set the cookie, may have percent-encoded the token as a whole. */
function unwrapped(token: string): string {
  return token.includes(MARK) || token.length > TOKEN_LENGTH_MAX ? token : unescaped(token)
}

function hasAcl(token: string): boolean {
  return /(?:^|~)acl=/.test(token)
}

function readToken(token: string): ReadToken | undefined {
  const at = token.lastIndexOf(MARK)
  if (at < 0 || token.length > TOKEN_LENGTH_MAX) return undefined
  const signed = token.slice(0, at)
  const fields = new Map<string, string>()
  for (const field of signed.split('~')) {
    const equals = field.indexOf('=')
    const name = field.slice(0, Math.max(0, equals))
    if (!FIELDS.has(name) || fields.has(name)) return undefined
    fields.set(name, field.slice(equals + 1))
  }
  const starts = fields.get('st')
  const startsMs = starts === undefined ? null : parseTimestamp(starts, 'decimal')
  const expiresMs = parseTimestamp(fields.get('exp') ?? '', 'decimal')
  const address = fields.has('ip') ? unescaped(fields.get('ip') ?? '') : null
  const list = fields.get('acl')
  const acl = list === undefined ? null : parseAcl(list)
  if (startsMs === undefined || expiresMs === undefined || acl === undefined) return undefined
  if (address !== null && parseNetwork(address) === undefined) return undefined
  return { signed, presented: token.slice(at + MARK.length), acl, startsMs, expiresMs, address }
}

function claimsOf(read: ReadToken, signedPath: string): Claims {
  const { acl, startsMs, expiresMs, address } = read
  const resource = normalisePath(signedPath)
  return {
    startsMs,
    expiresMs,
    address,
    covers(target) {
      const path = normalisePath(pathOf(target))
      if (path === null) return false
      return acl === null ? path === resource : aclCovers(acl, path)
    },
  }
}

function hmacOf(settings: HdntsSettings, key: KeyObject, text: string): string {
  const salt = settings.salt === undefined ? '' : `~salt=${byteText(settings.salt)}`
  return createHmac(settings.algorithm ?? 'sha256', key)
    .update(text + salt, 'latin1')
    .digest('hex')
}

/** As Akamai's generators escape: all but letters, digits, `_`, `.` and `-`, hex digits in lower case. */
function escapeInput(text: string): string {
  return byteText(text).replace(
    /[^A-Za-z0-9_.-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

function keyObjects(settings: HdntsSettings): readonly KeyObject[] {
  if (settings.keys.length === 0) throw settingsError('a token scheme needs a key')
  if (!settings.keys.every((key) => /^(?:[0-9a-fA-F]{2})+$/.test(key))) {
    throw settingsError('a key of hdnts is not in hex digits, two a byte')
  }
  return settings.keys.map((key) => createSecretKey(Buffer.from(key, 'hex')))
}

function namesOf(settings: HdntsSettings): readonly string[] {
  const names = settings.parameters ?? ['hdnts', 'hdnea']
  if (names.length === 0) throw settingsError('hdnts needs the name of a parameter')
  return names
}
