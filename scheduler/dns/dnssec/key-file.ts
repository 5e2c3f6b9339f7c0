// The text of BIND's two files of a key, as dnssec-keygen, ldns-keygen and others write them: `K….private` with the
// secret number, `K….key` with the DNSKEY record. Pure: what is wrong comes back with its line.
import { wireNameOf } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import { ALGORITHM, KEY_SIGNING_KEY, PUBLIC_KEY_BYTES, ZONE_KEY } from './dnskey.ts'

export type KeyFileReason =
  | 'wrong-file'
  | 'unreadable'
  | 'malformed'
  | 'unsupported'
  | 'other-zone'
  | 'key-mismatch'
  | 'same-tag'
  | 'no-key-signing-key'

export interface KeyTextProblem {
  readonly reason: KeyFileReason
  /** From 1; null when it is about the whole file. */
  readonly line: number | null
  /** Completes "it …". */
  readonly message: string
}

export interface PublicKeyText {
  readonly zone: WireName
  readonly flags: number
  readonly publicKey: Buffer
}

const SCALAR_BYTES = 32
const PROTOCOL = '3'
/** A lifetime (dnssec-keygen -L) and the class may stand before the type, in either order. */
const BEFORE_TYPE = /^(?:\d+|IN)$/i

/** The secret number, big-endian, 32 octets. */
export function parsePrivateKey(text: string): Buffer | KeyTextProblem {
  const fields = fieldsOf(text)
  if (!(fields instanceof Map)) return fields
  const format = fields.get('private-key-format')
  if (format === undefined) return problem('malformed', null, 'has no line Private-key-format')
  if (!/^v1\.\d+$/.test(format.value)) {
    return problem('unsupported', format.line, `has the format ${format.value}, and only v1 is known`)
  }
  const algorithm = fields.get('algorithm')
  if (algorithm === undefined) return problem('malformed', null, 'has no line Algorithm')
  if (algorithm.value.split(' ', 1)[0] !== String(ALGORITHM)) {
    return problem('unsupported', algorithm.line, otherAlgorithm(algorithm.value))
  }
  const secret = fields.get('privatekey')
  if (secret === undefined) return problem('malformed', null, 'has no line PrivateKey')
  const octets = fromBase64(secret.value)
  // Some writers leave out leading zeros.
  if (octets === undefined || octets.length === 0 || octets.length > SCALAR_BYTES) {
    return problem('malformed', secret.line, `has no PrivateKey of ${SCALAR_BYTES} octets in base64`)
  }
  return Buffer.concat([Buffer.alloc(SCALAR_BYTES - octets.length), octets])
}

interface Field {
  readonly value: string
  readonly line: number
}

function fieldsOf(text: string): Map<string, Field> | KeyTextProblem {
  const fields = new Map<string, Field>()
  for (const [i, row] of text.split('\n').entries()) {
    if (row.trim() === '') continue
    const colon = row.indexOf(':')
    // The row itself is not shown: it may hold the secret.
    if (colon < 1) return problem('malformed', i + 1, 'has no "Name: value" there')
    const name = row.slice(0, colon).trim().toLowerCase()
    if (fields.has(name)) return problem('malformed', i + 1, `says ${row.slice(0, colon).trim()} twice`)
    fields.set(name, { value: row.slice(colon + 1).trim(), line: i + 1 })
  }
  return fields
}

/** One DNSKEY record in the form of zone files: comments, and parentheses around what goes on in the next lines. */
export function parsePublicKey(text: string): PublicKeyText | KeyTextProblem {
  const tokens = tokensOf(text)
  const typeAt = tokens.findIndex(({ text: word }) => word.toUpperCase() === 'DNSKEY')
  if (typeAt < 1) return problem('malformed', null, 'has no DNSKEY record')
  const [owner] = tokens
  const between = tokens.slice(1, typeAt)
  const zone = owner === undefined ? undefined : wireNameOf(owner.text)
  if (
    owner === undefined ||
    zone === undefined ||
    !between.every(({ text: word }) => BEFORE_TYPE.test(word))
  ) {
    return problem('malformed', owner?.line ?? null, 'does not begin with a DNSKEY record')
  }
  const [flags, protocol, algorithm, ...encoded] = tokens.slice(typeAt + 1)
  if (flags === undefined || protocol === undefined || algorithm === undefined) {
    return problem('malformed', owner.line, 'has a DNSKEY record that ends too early')
  }
  if (protocol.text !== PROTOCOL) {
    return problem('malformed', protocol.line, `has a DNSKEY of protocol ${protocol.text}, not ${PROTOCOL}`)
  }
  if (algorithm.text !== String(ALGORITHM)) {
    return problem('unsupported', algorithm.line, otherAlgorithm(algorithm.text))
  }
  if (flags.text !== String(ZONE_KEY) && flags.text !== String(KEY_SIGNING_KEY)) {
    const known = `${ZONE_KEY} (signs the zone) and ${KEY_SIGNING_KEY} (signs the keys)`
    return problem('unsupported', flags.line, `has flags ${flags.text}; only ${known} are known`)
  }
  const publicKey = fromBase64(encoded.map(({ text: part }) => part).join(''))
  if (publicKey?.length !== PUBLIC_KEY_BYTES) {
    const line = encoded[0]?.line ?? algorithm.line
    return problem('malformed', line, `has no key of ${PUBLIC_KEY_BYTES} octets in base64, alone in the file`)
  }
  return { zone, flags: Number(flags.text), publicKey }
}

interface Token {
  readonly text: string
  readonly line: number
}

function tokensOf(text: string): Token[] {
  return text.split('\n').flatMap((row, i) => {
    const words = row.replace(/;.*/, '').match(/[^\s()]+/g) ?? []
    return words.map((word) => ({ text: word, line: i + 1 }))
  })
}

function otherAlgorithm(algorithm: string): string {
  return `is of algorithm ${algorithm}; only ${ALGORITHM} (ECDSAP256SHA256) is known`
}

/** Strict: Node skips over what is no base64. */
function fromBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? octets : undefined
}

function problem(reason: KeyFileReason, line: number | null, message: string): KeyTextProblem {
  return { reason, line, message }
}
