// The URI container of RFC 9246 §2.1.15 (`cdniuc`): which URIs a token is for, by the hash of the one or by a regular
// expression over all of them. A regular expression must match the whole URI: one that may match a part of it would
// be met by any URI that says the rest in its query.
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { compileExtendedRegex } from './extended-regex.ts'
import type { ExtendedRegex, RegexProblem } from './extended-regex.ts'
import { requestUri, uriText } from './request-uri.ts'
import type { RequestUri } from './request-uri.ts'
import type { TokenRefusal } from './token.ts'

/** `uri` is normalised. */
export type UriMatcher = (uri: RequestUri) => boolean

/** Lengths in bytes of the hashes that are taken (RFC 6920 §9.4); shorter ones prove too little. */
const HASHES: Readonly<Record<string, number>> = { 'sha-256': 32, 'sha-256-128': 16 }
/** Expressions kept compiled, of all properties: tokens of one issuer share few. */
const COMPILED_MAX = 1000

const compiled = new LRUCache<string, ExtendedRegex>({ max: COMPILED_MAX })

export function parseUriContainer(text: string): UriMatcher | TokenRefusal {
  const colon = text.indexOf(':')
  const form = text.slice(0, Math.max(colon, 0))
  const content = text.slice(colon + 1)
  if (form === 'hash') return parseHash(content)
  if (form !== 'regex') return 'token_unsupported'
  const regex = regexOf(content)
  if (typeof regex === 'string') return regex === 'malformed' ? 'token_malformed' : 'token_unsupported'
  return (uri) => {
    const current = regexOf(content)
    return typeof current !== 'string' && current.matches(uriText(uri), true)
  }
}

/** For signers: the container that holds this URI. null: not a URI. */
export function hashContainer(url: string): string | null {
  const parts = /^(https?):\/\/([^/?#]*)(\/[^#]*)?$/.exec(url)
  const [, scheme, host, target] = parts ?? []
  if (scheme === undefined || host === undefined) return null
  const uri = requestUri(scheme, host, target ?? '/')
  return uri === null ? null : `hash:sha-256;${hashOf(uri).toString('base64url')}`
}

/** Compiled once for all that hold it; what a token remembers is its text. */
export function regexOf(text: string): ExtendedRegex | RegexProblem {
  const known = compiled.get(text)
  if (known !== undefined) return known
  const regex = compileExtendedRegex(text)
  if (typeof regex !== 'string') compiled.set(text, regex)
  return regex
}

/** The URL segment form of RFC 6920 §5: `sha-256;` and the hash in base64url. */
function parseHash(content: string): UriMatcher | TokenRefusal {
  const [algorithm = '', encoded = ''] = content.split(';', 2)
  const length = HASHES[algorithm]
  if (length === undefined) return 'token_unsupported'
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) return 'token_malformed'
  const hash = Buffer.from(encoded, 'base64url')
  if (hash.length !== length) return 'token_malformed'
  return (uri) => hashOf(uri).subarray(0, length).equals(hash)
}

function hashOf(uri: RequestUri): Buffer {
  return createHash('sha256').update(uriText(uri)).digest()
}
