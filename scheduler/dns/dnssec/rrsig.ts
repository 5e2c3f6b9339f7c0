// One signature over one set of records (RFC 4034 §3). Its times are rounded, so that the same records have the same
// octets to sign for hours, and a signature that was made for them can be used again.
import { sign } from 'node:crypto'
import { SIGNATURE_BACKDATED_S, SIGNATURE_PERIOD_S, SIGNATURE_VALID_S } from '../limits.ts'
import { labelCount } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import { canonicalOctets } from './canonical.ts'
import type { RecordSet } from './canonical.ts'
import { ALGORITHM } from './dnskey.ts'
import type { ZoneKey } from './keys.ts'

/** Of the RDATA before the signer's name: type, algorithm, labels, TTL, expiration, inception, key tag. */
const FIXED_BYTES = 18
const WILDCARD = '\x01*'

/** RDATA without the signature: also the first part of what is signed (§3.1.8.1). */
export function rrsigHead(set: RecordSet, key: ZoneKey, zone: WireName, nowMs: number): Buffer {
  const periodStart = Math.floor(nowMs / 1000 / SIGNATURE_PERIOD_S) * SIGNATURE_PERIOD_S
  const head = Buffer.allocUnsafe(FIXED_BYTES + zone.length)
  let at = head.writeUInt16BE(set.type, 0)
  at = head.writeUInt8(ALGORITHM, at)
  at = head.writeUInt8(signedLabels(set.owner), at)
  at = head.writeUInt32BE(set.ttlSeconds, at)
  // Times are taken modulo 2^32 (§3.1.5).
  at = head.writeUInt32BE((periodStart + SIGNATURE_VALID_S) >>> 0, at)
  at = head.writeUInt32BE((periodStart - SIGNATURE_BACKDATED_S) >>> 0, at)
  at = head.writeUInt16BE(key.tag, at)
  head.write(zone, at, 'latin1')
  return head
}

/** All that is signed: two sets, times or keys never have the same octets, so they also say which signature it is. */
export function signedOctets(head: Buffer, set: RecordSet): Buffer {
  return Buffer.concat([head, canonicalOctets(set)])
}

/** r and s, 32 octets each (RFC 6605 §4), and not the DER form that is usual elsewhere. */
export function signatureOf(octets: Buffer, key: ZoneKey): Buffer {
  return sign('sha256', octets, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
}

/** Neither the root nor a `*` counts (§3.1.3): by that a resolver sees what was made from a wildcard. */
function signedLabels(owner: WireName): number {
  const count = labelCount(owner)
  return owner.startsWith(WILDCARD) ? count - 1 : count
}
