// Addresses that no GeoIP database can place, because they mean something on a private network only, or
// nothing at all (IANA special-purpose registries, RFC 6890).
import assert from 'node:assert/strict'
import { buildCidrTree } from '../net/cidr-tree.ts'
import { parseNetwork } from '../net/ip.ts'
import type { IpAddress } from '../net/ip.ts'

const NETWORKS = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // shared, behind carriers' NAT
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24', // documentation
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/3', // multicast, reserved, broadcast
  '::/8', // unspecified, loopback, reserved
  '100::/64', // discard
  '2001:db8::/32', // documentation
  '3fff::/20', // documentation
  'fc00::/7', // unique local
  'fe80::/10',
  'ff00::/8',
]

const tree = buildCidrTree(
  NETWORKS.map((text) => {
    const network = parseNetwork(text)
    assert(network, text)
    return { network, value: true }
  }),
)

export function isUnroutable(address: IpAddress): boolean {
  const known = knownOf(address)
  return known === UNTOLD ? tree.find(address) !== undefined : known < 0
}

/** Bits of the shortest prefix whose addresses all are unroutable, or none is. */
export function scopeOfUnroutable(address: IpAddress): number {
  const known = knownOf(address)
  return known === UNTOLD ? tree.scopeOf(address) : Math.abs(known)
}

/**
 * Most addresses are told by their first octet, or the first two of IPv6: the scope, less than 0 for unroutable ones. Looked
 * for when one that begins so is first asked for: all at once would keep each start waiting.
 */
const FIRST_BITS = { 4: 8, 6: 16 } as const
const UNTOLD = 0
/** A scope is from 1 to FIRST_BITS: each family has addresses of either kind. */
const UNASKED = 127
const firsts = {
  4: new Int8Array(2 ** FIRST_BITS[4]).fill(UNASKED),
  6: new Int8Array(2 ** FIRST_BITS[6]).fill(UNASKED),
}

function knownOf({ family, a, d }: IpAddress): number {
  const first = family === 4 ? d >>> 24 : a >>> 16
  const known = firsts[family][first] ?? UNTOLD
  return known === UNASKED ? (firsts[family][first] = lookFor(family, first)) : known
}

function lookFor(family: 4 | 6, first: number): number {
  const bits = FIRST_BITS[family]
  const word = first * 2 ** (32 - bits)
  const [a, d] = family === 4 ? [0, word] : [word, 0]
  const address: IpAddress = { family, a, b: 0, c: 0, d }
  const scope = tree.scopeOf(address)
  // Of all others that begin so too.
  if (scope > bits) return UNTOLD
  return tree.find(address) === undefined ? scope : -scope
}
