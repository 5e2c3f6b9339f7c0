// IP addresses and networks as plain records of 32-bit words: parsing, formatting (RFC 5952), membership.
// An IPv4-mapped IPv6 address (::ffff:a.b.c.d, what a dual-stack socket reports) is the IPv4 address.
// A zone (`%eth0`) means something on one machine only: parseIp drops it, parseNetwork refuses it.
import { GROUPS, endBeforeZone, readIpv4, readIpv6 } from './ip-reader.ts'

export interface IpAddress {
  readonly family: 4 | 6
  /** Four unsigned 32-bit words, most significant first; an IPv4 address has only `d`. */
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

export interface IpNetwork {
  /** The first address; every bit after the prefix is 0. */
  readonly address: IpAddress
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly prefixLength: number
}

const SLASH = '/'
const PREFIX_LENGTH = /^(?:0|[1-9]\d{0,2})$/
/** The longest address with a long zone. */
const TEXT_LENGTH_MAX = 128

// Parsing is synchronous, so that one of each is enough.
const scratch = new Uint8Array(TEXT_LENGTH_MAX)
const groups = new Uint16Array(GROUPS)

/** Strict dotted decimal (four parts, no leading zeros) or any form of RFC 4291 §2.2. */
export function parseIp(text: string): IpAddress | undefined {
  const { length } = text
  if (length > scratch.length) return undefined
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i)
    // In a byte it would be another character.
    if (unit > 0x7f) return undefined
    scratch[i] = unit
  }
  return readIp(scratch, 0, length)
}

/** The same of ASCII bytes. */
export function readIp(bytes: Uint8Array, start: number, end: number): IpAddress | undefined {
  const value = readIpv4(bytes, start, end)
  if (value >= 0) return ipv4OfWord(value)
  const addressEnd = endBeforeZone(bytes, start, end)
  if (addressEnd < 0 || !readIpv6(bytes, start, addressEnd, groups)) return undefined
  return ipv6OfWords(word(0), word(2), word(4), word(6))
}

export function ipv4OfWord(d: number): IpAddress {
  return { family: 4, a: 0, b: 0, c: 0, d }
}

/** Of the words of an IPv6 address, which may be a mapped one. */
export function ipv6OfWords(a: number, b: number, c: number, d: number): IpAddress {
  return a === 0 && b === 0 && c === 0xffff ? ipv4OfWord(d) : { family: 6, a, b, c, d }
}

/** `10.0.0.0/8`, `2001:db8::/32`; a bare address is a network of one. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const network = readNetwork(text)
  return typeof network === 'string' ? undefined : network
}

/** What is wrong with a network, in words that complete "it …"; undefined when nothing is. */
export function networkProblem(text: string): string | undefined {
  const network = readNetwork(text)
  return typeof network === 'string' ? network : undefined
}

export function contains(network: IpNetwork, address: IpAddress): boolean {
  const { address: first, prefixLength } = network
  if (first.family !== address.family) return false
  if (first.family === 4) return keepBits(address.d, prefixLength) === first.d
  return (
    keepBits(address.a, prefixLength) === first.a &&
    keepBits(address.b, prefixLength - 32) === first.b &&
    keepBits(address.c, prefixLength - 64) === first.c &&
    keepBits(address.d, prefixLength - 96) === first.d
  )
}

/** The network of that length around an address. */
export function networkOf(address: IpAddress, prefixLength: number): IpNetwork {
  if (address.family === 4) return { address: ipv4OfWord(keepBits(address.d, prefixLength)), prefixLength }
  return {
    address: {
      family: 6,
      a: keepBits(address.a, prefixLength),
      b: keepBits(address.b, prefixLength - 32),
      c: keepBits(address.c, prefixLength - 64),
      d: keepBits(address.d, prefixLength - 96),
    },
    prefixLength,
  }
}

/** Orders by family, then by value. */
export function compareIp(x: IpAddress, y: IpAddress): number {
  return x.family - y.family || x.a - y.a || x.b - y.b || x.c - y.c || x.d - y.d
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
export function formatIp(address: IpAddress): string {
  const { a, b, c, d } = address
  if (address.family === 4) return `${d >>> 24}.${(d >>> 16) & 0xff}.${(d >>> 8) & 0xff}.${d & 0xff}`
  const parts = [a, b, c, d].flatMap((value) => [value >>> 16, value & 0xffff])
  let start = 0
  let length = 1
  for (let i = 0; i < GROUPS; i += 1) {
    let end = i
    while (parts[end] === 0) end += 1
    if (end - i > length) [start, length] = [i, end - i]
  }
  const texts = parts.map((part) => part.toString(16))
  if (length === 1) return texts.join(':')
  return `${texts.slice(0, start).join(':')}::${texts.slice(start + length).join(':')}`
}

/** In network order: 4 octets or 16. Made without a buffer beside them, which would take more than they do. */
export function ipBytes({ family, a, b, c, d }: IpAddress): Uint8Array {
  const words = family === 4 ? [d] : [a, b, c, d]
  const bytes = new Uint8Array(4 * words.length)
  for (const [i, value] of words.entries()) {
    for (let octet = 0; octet < 4; octet += 1) bytes[4 * i + octet] = value >>> (24 - 8 * octet)
  }
  return bytes
}

export function formatNetwork(network: IpNetwork): string {
  return `${formatIp(network.address)}/${network.prefixLength}`
}

/** The word with all but its first `bits` bits cleared; `bits` may be out of 0..32. */
function keepBits(value: number, bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? value : (value & (-1 << (32 - bits))) >>> 0
}

function word(group: number): number {
  return (((groups[group] ?? 0) << 16) | (groups[group + 1] ?? 0)) >>> 0
}

/** The network, or what is wrong with it. */
function readNetwork(text: string): IpNetwork | string {
  const slashAt = text.indexOf(SLASH)
  const addressText = slashAt < 0 ? text : text.slice(0, slashAt)
  const address = addressText.includes('%') ? undefined : parseIp(addressText)
  if (address === undefined) return 'is not an IP address or network such as 192.0.2.0/24 or 2001:db8::/32'
  const bits = address.family === 4 ? 32 : 128
  if (slashAt < 0) return { address, prefixLength: bits }
  // A prefix of an IPv4-mapped address counts from the start of the IPv6 form.
  const mappedBits = address.family === 4 && addressText.includes(':') ? 96 : 0
  const lengthText = text.slice(slashAt + 1)
  const prefixLength = PREFIX_LENGTH.test(lengthText) ? Number(lengthText) - mappedBits : Number.NaN
  if (!(prefixLength >= 0 && prefixLength <= bits)) {
    return `needs a prefix length from ${mappedBits} to ${bits + mappedBits} after the "/"`
  }
  const network = networkOf(address, prefixLength)
  if (compareIp(network.address, address) !== 0) {
    return `has bits set after its prefix; the network is ${formatNetwork(network)}`
  }
  return network
}
