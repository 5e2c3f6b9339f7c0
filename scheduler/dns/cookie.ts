// Server cookies of DNS (RFC 7873, version 1 of RFC 9018): they show that a client hears what is sent to its address,
// without the server keeping anything. Pure; servers that share secrets take each other's cookies.
// The option's octets: client cookie (8), version 1 (1), reserved (3), seconds (4), hash (8).
import assert from 'node:assert/strict'
import { EdgewardError } from '../../src/errors.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { COOKIE_AGE_MAX_S, COOKIE_AHEAD_MAX_S, COOKIE_RENEW_AFTER_S, COOKIE_SECRETS_MAX } from './limits.ts'
import type { Place } from './message/edns.ts'
import { copyOctets, readU16, writeU32 } from './message/octets.ts'
import { SIP_HASH_OCTETS, SIP_KEY_OCTETS, sipHash24, sipKeyOf } from './siphash.ts'
import type { SipKey } from './siphash.ts'

export type CookieVerdict =
  /** The query has no cookie. */
  | 'none'
  /** A client that supports cookies and has none of this server yet. */
  | 'client-only'
  /** The client hears what is sent to its address. */
  | 'good'
  /** Good, but of middle age or of a secret that goes: the client should get a new one. */
  | 'renew'
  /** Expired, from the future, made for another address, by another server or by nobody; to be treated as client-only. */
  | 'bad'

/** Client and server cookie as made here. */
export const COOKIE_OCTETS = 24
const CLIENT_COOKIE_OCTETS = 8
const VERSION = 1
const VERSION_AT = 8
const TIME_AT = 12
const HASH_AT = 16
const SECRET = new RegExp(`^[0-9A-Fa-f]{${SIP_KEY_OCTETS * 2}}$`)

// Nothing waits between their filling and their reading, so that one of each is enough.
const hashed = new Uint8Array(HASH_AT + 16)
const expected = new Uint8Array(SIP_HASH_OCTETS)

/**
 * What the COOKIE option of a query proves, given by its place in the packet; undefined is a query without one. Any of
 * the secrets verifies; all are tried and every octet compared, so that the time taken tells nothing about them.
 * `nowMs` is since the epoch.
 */
export function cookieVerdict(
  packet: Uint8Array,
  cookie: Place | undefined,
  client: IpAddress,
  secrets: readonly SipKey[],
  nowMs: number,
): CookieVerdict {
  if (cookie === undefined) return 'none'
  if (cookie.bytes === CLIENT_COOKIE_OCTETS) return 'client-only'
  if (cookie.bytes !== COOKIE_OCTETS || packet[cookie.at + VERSION_AT] !== VERSION) return 'bad'
  // Serial number arithmetic (RFC 1982): right beyond 2106, when the seconds start again at 0.
  const ageS = (secondsOf(nowMs) - readU32(packet, cookie.at + TIME_AT)) | 0
  if (ageS > COOKIE_AGE_MAX_S || ageS < -COOKIE_AHEAD_MAX_S) return 'bad'

  // Reserved octets count as they came, although they are sent as zeros (RFC 9018 §4.2).
  copyOctets(hashed, 0, packet, cookie.at, HASH_AT)
  const end = addAddress(client)
  let made = -1
  for (let i = secrets.length - 1; i >= 0; i -= 1) {
    const secret = secrets[i]
    assert(secret !== undefined)
    sipHash24(secret, hashed, end, expected, 0)
    if (difference(packet, cookie.at + HASH_AT, expected) === 0) made = i
  }
  if (made < 0) return 'bad'
  return made > 0 || ageS > COOKIE_RENEW_AFTER_S ? 'renew' : 'good'
}

/**
 * Fills `into`, COOKIE_OCTETS long, for the reply to a query with a cookie, whatever its verdict: the client cookie as
 * it came, and a server cookie of now, made with the first of the secrets.
 */
export function writeCookie(
  into: Uint8Array,
  packet: Uint8Array,
  cookie: Place,
  client: IpAddress,
  secrets: readonly SipKey[],
  nowMs: number,
): void {
  const secret = secrets[0]
  assert(secret !== undefined && into.length === COOKIE_OCTETS)
  copyOctets(hashed, 0, packet, cookie.at, CLIENT_COOKIE_OCTETS)
  writeU32(hashed, VERSION_AT, VERSION * 2 ** 24)
  writeU32(hashed, TIME_AT, secondsOf(nowMs))
  copyOctets(into, 0, hashed, 0, HASH_AT)
  sipHash24(secret, hashed, addAddress(client), into, HASH_AT)
}

/**
 * Secrets from hexadecimal texts: the first makes cookies, all verify. To change a secret without a client noticing,
 * add the new one as the last everywhere, then make it the first, then drop the old one (RFC 9018 §5).
 */
export function parseCookieSecrets(texts: readonly string[]): readonly SipKey[] {
  if (texts.length === 0 || texts.length > COOKIE_SECRETS_MAX) {
    throw invalid(`cookies need 1 to ${COOKIE_SECRETS_MAX} secrets, and there are ${texts.length}`)
  }
  return texts.map((text, i) => {
    const digits = text.trim()
    // The text itself stays out of the message, which is logged.
    if (!SECRET.test(digits)) {
      throw invalid(
        `cookie secret ${i + 1} of ${texts.length} is not ${SIP_KEY_OCTETS * 2} hexadecimal digits`,
      )
    }
    return sipKeyOf(Buffer.from(digits, 'hex'))
  })
}

function invalid(message: string): EdgewardError {
  return new EdgewardError('config_invalid', 'self', message)
}

/** The last of what is hashed (RFC 9018 §4.4); gives where it ends. */
function addAddress({ family, a, b, c, d }: IpAddress): number {
  if (family === 4) {
    writeU32(hashed, HASH_AT, d)
    return HASH_AT + 4
  }
  writeU32(hashed, HASH_AT, a)
  writeU32(hashed, HASH_AT + 4, b)
  writeU32(hashed, HASH_AT + 8, c)
  writeU32(hashed, HASH_AT + 12, d)
  return HASH_AT + 16
}

/** 0 when they are equal; always looks at every octet. */
function difference(packet: Uint8Array, at: number, hash: Uint8Array): number {
  let bits = 0
  for (let i = 0; i < SIP_HASH_OCTETS; i += 1) bits |= (packet[at + i] ?? 0) ^ (hash[i] ?? 0)
  return bits
}

/** Seconds since the epoch, of which the lowest 32 bits count. */
function secondsOf(nowMs: number): number {
  return Math.floor(nowMs / 1000) >>> 0
}

function readU32(octets: Uint8Array, at: number): number {
  return readU16(octets, at) * 2 ** 16 + readU16(octets, at + 2)
}
