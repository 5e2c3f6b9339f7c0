// What is published of a zone's key: its DNSKEY data, the tag that signatures name it by, and the DS for the parent.
import { createHash } from 'node:crypto'
import { formatName } from '../message/names.ts'
import type { WireName } from '../message/names.ts'

/** ECDSAP256SHA256 (RFC 6605): the one algorithm taken. Every resolver knows it, and its signatures are short. */
export const ALGORITHM = 13
/** X and Y of the point, 32 octets each, without the 4 that marks it as not compressed (RFC 6605 §4). */
export const PUBLIC_KEY_BYTES = 64
/** Flags of a key that signs the zone, and of one that the parent's DS names too (RFC 4034 §2.1.1). */
export const ZONE_KEY = 256
export const KEY_SIGNING_KEY = 257

const PROTOCOL = 3
const SHA256 = 2

export function dnskeyData(flags: number, publicKey: Uint8Array): Uint8Array {
  return Uint8Array.of(flags >>> 8, flags & 0xff, PROTOCOL, ALGORITHM, ...publicKey)
}

/** RFC 4034 appendix B: not unique, only a hint which key to try. */
export function keyTag(dnskey: Uint8Array): number {
  const sum = dnskey.reduce((total, octet, i) => total + (i % 2 === 0 ? octet << 8 : octet), 0)
  return (sum + (sum >>> 16)) & 0xffff
}

/** The DS record as the parent's operator takes it (RFC 4034 §5.1.4, RFC 4509). */
export function dsText(zone: WireName, dnskey: Uint8Array): string {
  const digest = createHash('sha256').update(zone, 'latin1').update(dnskey).digest('hex').toUpperCase()
  return `${formatName(zone)} IN DS ${keyTag(dnskey)} ${ALGORITHM} ${SHA256} ${digest}`
}
