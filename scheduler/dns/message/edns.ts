// The OPT record (RFC 6891) of a query and of its reply: sizes, DO, Client Subnet (RFC 7871), cookies (RFC 7873), NSID
// (RFC 5001), extended errors (RFC 8914). What a query's options hold is given by its place in the packet; nothing of
// it is copied before the reply is written.
import type { IpAddress } from '../../../src/net/ip.ts'
import {
  EXTENDED_ERROR_TEXT_BYTES_MAX,
  NSID_BYTES_MAX,
  UDP_BYTES_MIN,
  UDP_REPLY_BYTES_MAX,
} from '../limits.ts'
import { OPTION, TYPE } from './codes.ts'
import { RECORD_FIXED_BYTES, copyOctets, readU16, writeLatin1, writeU16 } from './octets.ts'

/** Octets of the packet. */
export interface Place {
  readonly at: number
  readonly bytes: number
}

export interface ClientSubnet {
  /**
   * The first address of the network. An IPv4-mapped one stays IPv6 (unlike in parseIp), for the scope that is
   * answered counts from the same start as the source prefix.
   */
  readonly address: IpAddress
  /** 0 when the client wants no part of its address used. */
  readonly sourcePrefix: number
  /** The option's data, to be echoed. */
  readonly place: Place
}

export interface Edns {
  /** What the client's side takes over UDP; less than 512 counts as 512 (RFC 6891 §6.2.3). */
  readonly udpBytes: number
  /** Options of versions above 0 are not read: the reply is BADVERS. */
  readonly version: number
  readonly dnssecOk: boolean
  readonly clientSubnet: ClientSubnet | undefined
  /** 8 octets of the client, or with those of a server 16 to 40. */
  readonly cookie: Place | undefined
  readonly wantsNsid: boolean
  /** An option breaks its RFC: the reply is FORMERR. */
  readonly isMalformed: boolean
}

export interface ExtendedError {
  readonly code: number
  /** ASCII; cut at EXTENDED_ERROR_TEXT_BYTES_MAX. */
  readonly text: string
}

/** Those that the query did not ask for are left out. */
export interface ReplyOptions {
  /** Bits of the client's address that the answer depended on; 0 when not given. */
  readonly scopePrefix?: number | undefined
  /** Client's and server's together. */
  readonly cookie?: Uint8Array | undefined
  /** Cut at NSID_BYTES_MAX. */
  readonly nsid?: Uint8Array | undefined
  readonly extendedError?: ExtendedError | undefined
}

export const NO_OPTIONS: ReplyOptions = {}

const OPTION_HEAD_BYTES = 4
/** FAMILY, SOURCE PREFIX-LENGTH and SCOPE PREFIX-LENGTH. */
const SUBNET_HEAD_BYTES = 4
const DNSSEC_OK = 0x80
const CLIENT_COOKIE_BYTES = 8
const COOKIE_BYTES_MIN = 16
const COOKIE_BYTES_MAX = 40

type Draft = { -readonly [Key in keyof Edns]: Edns[Key] }

/** Of an OPT record whose TYPE stands at `at` and whose data ends at `end`, both within the packet. */
export function readEdns(packet: Uint8Array, at: number, end: number): Edns {
  const edns: Draft = {
    udpBytes: Math.max(UDP_BYTES_MIN, readU16(packet, at + 2)),
    version: packet[at + 5] ?? 0,
    dnssecOk: ((packet[at + 6] ?? 0) & DNSSEC_OK) !== 0,
    clientSubnet: undefined,
    cookie: undefined,
    wantsNsid: false,
    isMalformed: false,
  }
  edns.isMalformed = edns.version === 0 && !readOptions(edns, packet, at + RECORD_FIXED_BYTES, end)
  return edns
}

/** False at the first option that breaks its RFC; unknown ones are ignored (RFC 6891 §6.1.2). */
function readOptions(edns: Draft, packet: Uint8Array, start: number, end: number): boolean {
  let next = start
  while (next < end) {
    const at = next + OPTION_HEAD_BYTES
    if (at > end) return false
    const code = readU16(packet, next)
    const bytes = readU16(packet, next + 2)
    next = at + bytes
    if (next > end) return false
    if (code === OPTION.CLIENT_SUBNET) {
      if (edns.clientSubnet !== undefined) return false
      edns.clientSubnet = readClientSubnet(packet, at, bytes)
      if (edns.clientSubnet === undefined) return false
    } else if (code === OPTION.COOKIE) {
      if (edns.cookie !== undefined || !isCookieLength(bytes)) return false
      edns.cookie = { at, bytes }
    } else if (code === OPTION.NSID) {
      if (bytes > 0) return false
      edns.wantsNsid = true
    }
  }
  return true
}

/** RFC 7873 §5.2.2. */
function isCookieLength(bytes: number): boolean {
  return bytes === CLIENT_COOKIE_BYTES || (bytes >= COOKIE_BYTES_MIN && bytes <= COOKIE_BYTES_MAX)
}

/** RFC 7871 §6 and §7.1.2: no octet more than the prefix needs, no bit set behind it, no scope in a query. */
function readClientSubnet(packet: Uint8Array, at: number, bytes: number): ClientSubnet | undefined {
  if (bytes < SUBNET_HEAD_BYTES) return undefined
  const family = readU16(packet, at)
  const sourcePrefix = packet[at + 2] ?? 0
  const scopePrefix = packet[at + 3] ?? 0
  if ((family !== 1 && family !== 2) || scopePrefix !== 0) return undefined
  if (sourcePrefix > (family === 1 ? 32 : 128)) return undefined
  if (bytes !== SUBNET_HEAD_BYTES + Math.ceil(sourcePrefix / 8)) return undefined
  const end = at + bytes
  const spareBits = -sourcePrefix & 7
  if (spareBits > 0 && ((packet[end - 1] ?? 0) & ((1 << spareBits) - 1)) !== 0) return undefined
  return {
    address: addressOf(packet, family, at + SUBNET_HEAD_BYTES, end),
    sourcePrefix,
    place: { at, bytes },
  }
}

function addressOf(packet: Uint8Array, family: 1 | 2, at: number, end: number): IpAddress {
  const first = wordOf(packet, at, end)
  if (family === 1) return { family: 4, a: 0, b: 0, c: 0, d: first }
  return {
    family: 6,
    a: first,
    b: wordOf(packet, at + 4, end),
    c: wordOf(packet, at + 8, end),
    d: wordOf(packet, at + 12, end),
  }
}

/** Octets from `end` on count as 0: an address is sent no further than its prefix. */
function wordOf(packet: Uint8Array, start: number, end: number): number {
  let word = 0
  for (let at = start; at < start + 4; at += 1) word = word * 256 + (at < end ? (packet[at] ?? 0) : 0)
  return word
}

/** How long the reply's OPT record is. */
export function optBytes({ clientSubnet, cookie, wantsNsid }: Edns, options: ReplyOptions): number {
  let bytes = 1 + RECORD_FIXED_BYTES
  if (clientSubnet !== undefined) bytes += OPTION_HEAD_BYTES + clientSubnet.place.bytes
  if (cookie !== undefined && options.cookie !== undefined) bytes += OPTION_HEAD_BYTES + options.cookie.length
  if (wantsNsid && options.nsid !== undefined) {
    bytes += OPTION_HEAD_BYTES + Math.min(options.nsid.length, NSID_BYTES_MAX)
  }
  if (options.extendedError !== undefined) {
    const { text } = options.extendedError
    bytes += OPTION_HEAD_BYTES + 2 + Math.min(text.length, EXTENDED_ERROR_TEXT_BYTES_MAX)
  }
  return bytes
}

/** Writes the reply's OPT record, optBytes long, with the upper bits of the rcode. Gives where it ends. */
export function writeOpt(
  out: Uint8Array,
  start: number,
  packet: Uint8Array,
  { clientSubnet, cookie, wantsNsid, dnssecOk }: Edns,
  rcode: number,
  options: ReplyOptions,
): number {
  out[start] = 0
  writeU16(out, start + 1, TYPE.OPT)
  writeU16(out, start + 3, UDP_REPLY_BYTES_MAX)
  out[start + 5] = rcode >>> 4
  out[start + 6] = 0
  writeU16(out, start + 7, dnssecOk ? DNSSEC_OK << 8 : 0)
  const optionsAt = start + 1 + RECORD_FIXED_BYTES
  let at = optionsAt
  if (clientSubnet !== undefined) at = appendSubnet(out, at, packet, clientSubnet, options.scopePrefix ?? 0)
  if (cookie !== undefined && options.cookie !== undefined) {
    at = appendOption(out, at, OPTION.COOKIE, options.cookie, options.cookie.length)
  }
  if (wantsNsid && options.nsid !== undefined) {
    at = appendOption(out, at, OPTION.NSID, options.nsid, Math.min(options.nsid.length, NSID_BYTES_MAX))
  }
  if (options.extendedError !== undefined) at = appendExtendedError(out, at, options.extendedError)
  writeU16(out, start + 9, at - optionsAt)
  return at
}

function appendOption(out: Uint8Array, at: number, code: number, data: Uint8Array, bytes: number): number {
  writeU16(out, at, code)
  writeU16(out, at + 2, bytes)
  return copyOctets(out, at + OPTION_HEAD_BYTES, data, 0, bytes)
}

/** As asked but for the scope (RFC 7871 §7.2.1); one who let nothing be used gets an answer for everyone. */
function appendSubnet(
  out: Uint8Array,
  at: number,
  packet: Uint8Array,
  { place, sourcePrefix }: ClientSubnet,
  scopePrefix: number,
): number {
  writeU16(out, at, OPTION.CLIENT_SUBNET)
  writeU16(out, at + 2, place.bytes)
  const end = copyOctets(out, at + OPTION_HEAD_BYTES, packet, place.at, place.bytes)
  out[at + OPTION_HEAD_BYTES + 3] = sourcePrefix === 0 ? 0 : scopePrefix
  return end
}

function appendExtendedError(out: Uint8Array, at: number, { code, text }: ExtendedError): number {
  const said = text.slice(0, EXTENDED_ERROR_TEXT_BYTES_MAX)
  writeU16(out, at, OPTION.EXTENDED_ERROR)
  writeU16(out, at + 2, 2 + said.length)
  writeU16(out, at + OPTION_HEAD_BYTES, code)
  return writeLatin1(out, at + OPTION_HEAD_BYTES + 2, said)
}
