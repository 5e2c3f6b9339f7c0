// nginx's `secure_link` with `secure_link_md5`: `?md5=…&expires=…`, the md5 of an expression of the operator's own, in
// base64url (ngx_http_secure_link_module). The expression is nginx's, with `$key` in the place of the secret, so that
// several can live. As there, a wrong link is 403 and one past its end 410; the end is a second that still counts.
//
// Stricter than nginx in this: `$uri` is decoded and nginx merges its slashes, so that one link opens several paths. A
// path with `//` or `%2F`, which an origin may take for something else, is not covered by any link.
import { hash } from 'node:crypto'
import { normalisePath } from '../http/normal-path.ts'
import { matchesAny } from './constant-time.ts'
import { pathOf, takeParameters, unescaped, withParameters } from './query-parameter.ts'
import { compileExpression, hashedText, valuesOf } from './secure-link-expression.ts'
import type { LinkReading } from './secure-link-expression.ts'
import { VALIDITY_DEFAULT_MS, asciiTarget, keyTexts } from './signing.ts'
import type { SignOptions } from './signing.ts'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'
import { TARGET_ONLY } from './token.ts'
import type { Authenticated, Claims, Taken, TokenQuery, TokenScheme } from './token.ts'

export interface SecureLinkSettings {
  /** Any of them verifies, the first signs. */
  readonly keys: readonly string[]
  /** Default: `$secure_link_expires$uri$key`. */
  readonly expression?: string | undefined
  /** Default: md5. */
  readonly hashParameter?: string | undefined
  /** Default: expires. Where the expression does not hold the end, this is not looked at and links do not end. */
  readonly expiresParameter?: string | undefined
}

export interface SecureLinkSignOptions extends SignOptions {
  /** For `$host`. */
  readonly host?: string | undefined
  /** For `$scheme`. Default: https. */
  readonly scheme?: 'http' | 'https' | undefined
  /** For `$http_user_agent`. */
  readonly userAgent?: string | undefined
}

/** 128 bits in base64url; nginx takes them padded, too. */
const HASH = /^([A-Za-z0-9_-]{22})(?:==)?$/

/** Throws `config_invalid` for settings that cannot work. */
export function createSecureLink(settings: SecureLinkSettings): TokenScheme {
  const keys = keyTexts(settings.keys)
  const { expression, names } = compiled(settings)
  return {
    name: 'secure-link',
    carriers: TARGET_ONLY,
    statuses: { token_expired: 410 },
    take: (query) => take(query.target, names),
    nameOf(token, taken, query) {
      const path = pathOf(taken.target)
      const values = valuesOf(expression, readingOf(token, path, query))
      return typeof values === 'string' ? null : [token, path, ...values].join('\n')
    },
    authenticate(token, taken, query): Authenticated {
      const path = pathOf(taken.target)
      const reading = readingOf(token, path, query)
      const [, presented] = HASH.exec(token.slice(0, token.indexOf('/'))) ?? []
      const expiresMs = expression.ends ? parseTimestamp(reading.expires, 'decimal') : null
      if (presented === undefined || expiresMs === undefined) return 'token_malformed'
      if (reading.uri === null) return 'token_out_of_scope'
      const values = valuesOf(expression, reading)
      if (typeof values === 'string') return values
      if (!matchesAny(presented, keys, (key) => md5(hashedText(expression, values, key))))
        return 'token_wrong'
      return claimsOf(path, expiresMs)
    },
  }
}

/** The target with the token behind its other parameters. Throws for options that the expression needs and lack. */
export function signSecureLink(
  settings: SecureLinkSettings,
  target: string,
  options: SecureLinkSignOptions,
): string {
  const { expression, names } = compiled(settings)
  if (expression.bound && options.address === undefined) {
    throw new RangeError('the expression of such a link needs the client’s address')
  }
  if (!expression.bound && options.address !== undefined) {
    throw new RangeError('such a link cannot be for one address: its expression holds no $remote_addr')
  }
  const bare = takeParameters(asciiTarget(target), names).target
  const expires = formatTimestamp(options.expiresMs ?? options.nowMs + VALIDITY_DEFAULT_MS, 'decimal')
  const [hashName, expiresName] = names
  const ending = expiresName === undefined ? bare : withParameters(bare, `${expiresName}=${expires}`)
  const query = queryOf(ending, options)
  const path = pathOf(bare)
  const values = valuesOf(expression, { expires, uri: uriOf(path), query })
  if (typeof values === 'string') throw new RangeError(`such a link cannot be made: ${values}`)
  const [key = ''] = keyTexts(settings.keys)
  return withParameters(ending, `${hashName}=${md5(hashedText(expression, values, key))}`)
}

function compiled(settings: SecureLinkSettings) {
  const expiresName = settings.expiresParameter ?? 'expires'
  const expression = compileExpression(settings.expression ?? '$secure_link_expires$uri$key', expiresName)
  const hashName = settings.hashParameter ?? 'md5'
  return { expression, names: expression.ends ? [hashName, expiresName] : [hashName] }
}

/** The token is hash and end, parted by a slash, which neither holds. An end alone is no token. */
function take(given: string, names: readonly string[]): Taken {
  const { target, values } = takeParameters(given, names)
  const [presented = null, expires = null] = values
  return presented === null
    ? { target: given, token: null }
    : { target, token: `${presented}/${expires ?? ''}` }
}

function readingOf(token: string, path: string, query: TokenQuery): LinkReading {
  return { expires: token.slice(token.indexOf('/') + 1), uri: uriOf(path), query }
}

function claimsOf(path: string, expiresMs: number | null): Claims {
  const resource = normalisePath(path)
  return {
    startsMs: null,
    // nginx compares whole seconds: that of the end is still good.
    expiresMs: expiresMs === null ? null : expiresMs + 1000,
    address: null,
    covers: (target) => resource !== null && normalisePath(pathOf(target)) === resource,
  }
}

/** nginx's `$uri` of a path as it came; null where that would stand for several paths. */
function uriOf(path: string): string | null {
  const normal = normalisePath(path)
  if (normal === null || normal.includes('//') || /%(?:2F|00)/.test(normal)) return null
  return unescaped(normal)
}

function md5(text: string): string {
  return hash('md5', Buffer.from(text, 'latin1'), 'base64url')
}

/** A request as the signer expects it. */
function queryOf(target: string, options: SecureLinkSignOptions): TokenQuery {
  const { nowMs, address = '', host = '', scheme = 'https', userAgent } = options
  return {
    target,
    scheme,
    host,
    method: 'GET',
    address,
    nowMs,
    header: (name) => (name === 'user-agent' ? userAgent : undefined),
  }
}
