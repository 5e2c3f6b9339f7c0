// Denial of existence in one record (RFC 9824): for whatever is asked, an NSEC made for the name itself, which spans
// nothing but that name. A name that does not exist is denied as one that has no types but NXNAME.
import { RCODE, TYPE } from '../message/codes.ts'
import { LABEL_BYTES_MAX, NAME_BYTES_MAX } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import type { DnsRecord } from '../message/records.ts'

/** The types that the name has, or that there is no such name: neither records nor names below it. */
export type Denied = readonly number[] | 'no-such-name'

/** The label \000, the first of all below a name (RFC 4034 §6.1). */
const FIRST_LABEL = '\x01\x00'
const OCTET_MAX = 0xff
/** Before and after the capital letters, which sort as small ones (RFC 4034 §6.1) and stand in no WireName. */
const BEFORE_CAPITALS = 0x40
const AFTER_CAPITALS = 0x5b

/** `ttlSeconds` is that of negative answers, the less of the SOA's own and its MINIMUM (RFC 9077). */
export function nsecRecord(zone: WireName, owner: WireName, denied: Denied, ttlSeconds: number): DnsRecord {
  const data = nsecData(nameAfter(owner, zone), provenTypes(zone, owner, denied))
  return { owner, type: TYPE.NSEC, ttlSeconds, data }
}

/**
 * RFC 9824 §5: with a proof of NXNAME comes NOERROR, since the proof says that the name exists; a resolver that sets
 * CO can tell, and has NXDOMAIN. Without DO there is no proof, and NXDOMAIN as ever.
 */
export function denialRcode(denied: Denied, flags: { dnssecOk: boolean; compactOk: boolean }): number {
  if (denied !== 'no-such-name') return RCODE.NOERROR
  return flags.dnssecOk && !flags.compactOk ? RCODE.NOERROR : RCODE.NXDOMAIN
}

/** At a delegation the zone speaks for NS and DS alone (RFC 4035 §2.3): what else is there belongs to the child. */
function provenTypes(zone: WireName, owner: WireName, denied: Denied): readonly number[] {
  if (denied === 'no-such-name') return [TYPE.RRSIG, TYPE.NSEC, TYPE.NXNAME]
  const isDelegation = owner !== zone && denied.includes(TYPE.NS)
  const own = isDelegation ? denied.filter((type) => type === TYPE.NS || type === TYPE.DS) : denied
  return [...own, TYPE.RRSIG, TYPE.NSEC]
}

/** RDATA of an NSEC (RFC 4034 §4.1): the next name, then the types as bits, in a block for each 256 types. */
export function nsecData(next: WireName, types: readonly number[]): Uint8Array {
  const blocks = new Map<number, number[]>()
  for (const type of new Set(types)) {
    const block = type >>> 8
    const bits = blocks.get(block) ?? []
    const octet = (type & 0xff) >>> 3
    while (bits.length <= octet) bits.push(0)
    bits[octet] = (bits[octet] ?? 0) | (0x80 >>> (type & 7))
    blocks.set(block, bits)
  }
  const parts = [Buffer.from(next, 'latin1')]
  for (const [block, bits] of [...blocks].toSorted(([x], [y]) => x - y)) {
    parts.push(Buffer.from([block, bits.length]), Buffer.from(bits))
  }
  return Buffer.concat(parts)
}

/**
 * The name right after this one in canonical order (RFC 4471 §3.1.2); after the last of the zone comes its apex. The
 * name must be inside the zone. Only at 254 octets and more is it another than \000.name.
 */
export function nameAfter(name: WireName, zone: WireName): WireName {
  if (name.length + FIRST_LABEL.length <= NAME_BYTES_MAX) return FIRST_LABEL + name
  if (name === zone) return zone
  // No name fits below this one: next is one whose first label is greater. Where none is, the same a label further up.
  let at = name
  while (at !== zone) {
    const length = at.charCodeAt(0)
    const [label, above] = [at.slice(1, 1 + length), at.slice(1 + length)]
    const mayGrow = at.length < NAME_BYTES_MAX && length < LABEL_BYTES_MAX
    const next = mayGrow ? `${label}\x00` : labelAfter(label)
    if (next !== undefined) return String.fromCharCode(next.length) + next + above
    at = above
  }
  return zone
}

/** The least label of no more octets that sorts after this one; undefined when all its octets are the greatest. */
function labelAfter(label: string): string | undefined {
  for (let i = label.length - 1; i >= 0; i--) {
    const octet = label.charCodeAt(i)
    if (octet === OCTET_MAX) continue
    const next = octet === BEFORE_CAPITALS ? AFTER_CAPITALS : octet + 1
    return label.slice(0, i) + String.fromCharCode(next)
  }
  return undefined
}
