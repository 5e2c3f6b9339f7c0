// Match objects of CTA-5007 (in `catu` and `cath`): a map from kind to operand, all of which must hold. A regular
// expression may match any part of the value, as it does in the other implementations.
import { createHash } from 'node:crypto'
import { isMap } from './cbor.ts'
import type { Cbor } from './cbor.ts'
import type { RequestUri } from './request-uri.ts'
import type { TokenRefusal } from './token.ts'
import { regexOf } from './uri-container.ts'

export type TextMatcher = (value: string) => boolean

const EXACT = 0
const PREFIX = 1
const SUFFIX = 2
const CONTAINS = 3
const REGEX = 4
const SHA256 = -1
const SHA512_256 = -2

export function readMatch(claim: Cbor): TextMatcher | TokenRefusal {
  if (!isMap(claim) || claim.size === 0) return 'token_malformed'
  const matchers: TextMatcher[] = []
  for (const [kind, operand] of claim) {
    const matcher = readOne(kind, operand)
    if (typeof matcher === 'string') return matcher
    matchers.push(matcher)
  }
  return (value) => matchers.every((matches) => matches(value))
}

function readOne(kind: number | string, operand: Cbor): TextMatcher | TokenRefusal {
  if (kind === REGEX) return readRegex(operand)
  if (kind === SHA256) return readHash(operand, 'sha256')
  if (kind === SHA512_256) return readHash(operand, 'sha512-256')
  if (typeof kind !== 'number' || kind < EXACT || kind > CONTAINS) return 'token_unsupported'
  if (typeof operand !== 'string') return 'token_malformed'
  if (kind === EXACT) return (value) => value === operand
  if (kind === PREFIX) return (value) => value.startsWith(operand)
  if (kind === SUFFIX) return (value) => value.endsWith(operand)
  return (value) => value.includes(operand)
}

/** An expression, and what its groups must hold: the latter is not judged here. */
function readRegex(operand: Cbor): TextMatcher | TokenRefusal {
  const parts: unknown[] = Array.isArray(operand) ? operand : [operand]
  const [text, ...groups] = parts
  if (typeof text !== 'string') return 'token_malformed'
  if (groups.some((group) => group !== null)) return 'token_unsupported'
  const regex = regexOf(text)
  if (typeof regex === 'string') return regex === 'malformed' ? 'token_malformed' : 'token_unsupported'
  return (value) => {
    const current = regexOf(text)
    return typeof current !== 'string' && current.matches(value, false)
  }
}

/** Bytes; as hex text too, which `@eyevinn/cat` writes. */
function readHash(operand: Cbor, algorithm: 'sha256' | 'sha512-256'): TextMatcher | TokenRefusal {
  const isHex = typeof operand === 'string' && /^[0-9A-Fa-f]{64}$/.test(operand)
  const hash = isHex ? Buffer.from(operand, 'hex') : operand
  if (!(hash instanceof Uint8Array) || hash.length !== 32) return 'token_malformed'
  return (value) => createHash(algorithm).update(value).digest().equals(hash)
}

/** What a component of `catu` is of a normalised URI. Several: either form is written by some. */
export function uriComponent(uri: RequestUri, component: number | string): readonly string[] | null {
  const slash = uri.path.lastIndexOf('/')
  const filename = uri.path.slice(slash + 1)
  const dot = filename.lastIndexOf('.')
  if (component === 0) return [uri.scheme]
  if (component === 1) return [uri.host]
  if (component === 2) return uri.port === '' ? ['', uri.scheme === 'https' ? '443' : '80'] : [uri.port]
  if (component === 3) return [uri.path]
  if (component === 4) return [uri.query ?? '']
  if (component === 5) return [uri.path.slice(0, slash)]
  if (component === 6) return [filename]
  if (component === 7) return [dot < 0 ? filename : filename.slice(0, dot)]
  if (component === 8) return [dot < 0 ? '' : filename.slice(dot)]
  return null
}
