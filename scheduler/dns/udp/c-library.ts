// The calls of the C library that Node has no door to: a socket for UDP, and many packets a call. They are reached by
// node:ffi, which Node calls experimental (docs/decisions/0025-many-packets-a-call.md), and on Linux alone. Nothing here
// outlasts a call: the memory that it is given addresses of is the caller's to keep.
import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { messageOf } from '../../../src/errors.ts'
import { parseIp } from '../../../src/net/ip.ts'
import type { IpAddress } from '../../../src/net/ip.ts'
import type { ListenAddress } from '../../../src/config/values.ts'

/** x64 and arm64 are both little-endian, with the same numbers and layouts of structures (udp-batch.ts). */
const ARCHITECTURES: ReadonlySet<string> = new Set(['x64', 'arm64'])

/** Of Linux, on those. */
export const AF_INET = 2
export const AF_INET6 = 10
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_REUSEPORT = 15
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26

const SIGNATURES = {
  socket: { return: 'int32', arguments: ['int32', 'int32', 'int32'] },
  setsockopt: { return: 'int32', arguments: ['int32', 'int32', 'int32', 'buffer', 'uint32'] },
  bind: { return: 'int32', arguments: ['int32', 'buffer', 'uint32'] },
  close: { return: 'int32', arguments: ['int32'] },
  recvmmsg: { return: 'int32', arguments: ['int32', 'pointer', 'uint32', 'int32', 'pointer'] },
  sendmmsg: { return: 'int32', arguments: ['int32', 'pointer', 'uint32', 'int32'] },
} as const

/** Numbers are C's int and unsigned int, pointers addresses. All give -1 when they fail, and `errno` is not asked for. */
export interface CLibrary {
  readonly socket: (domain: number, type: number, protocol: number) => number
  readonly setsockopt: (
    fd: number,
    level: number,
    name: number,
    value: Uint8Array<ArrayBuffer>,
    bytes: number,
  ) => number
  readonly bind: (fd: number, address: Uint8Array<ArrayBuffer>, bytes: number) => number
  readonly close: (fd: number) => number
  readonly recvmmsg: (fd: number, headers: bigint, count: number, flags: number, timeout: bigint) => number
  readonly sendmmsg: (fd: number, headers: bigint, count: number, flags: number) => number
  /** Where the view's memory is: for as long as somebody holds the view. */
  readonly addressOf: (view: Uint8Array<ArrayBuffer>) => bigint
}

/** The library, or in a few words why it cannot be had. */
export async function loadCLibrary(): Promise<CLibrary | string> {
  const { platform, arch } = process
  if (platform !== 'linux' || !ARCHITECTURES.has(arch)) return `not made for ${platform} on ${arch}`
  try {
    const ffi = await import('node:ffi')
    // null: what this process is linked with, whichever C library that is.
    const { functions } = ffi.dlopen(null, SIGNATURES)
    return { ...functions, addressOf: (view) => ffi.getRawPointer(view) }
  } catch (error) {
    return messageOf(error)
  }
}

export interface UdpSocketOptions {
  readonly reusePort: boolean
  readonly ipv6Only: boolean
}

/** A bound socket, which is the caller's to close. undefined: it cannot be had; who binds the same by Node learns why. */
export function bindUdp(
  library: CLibrary,
  { host, port }: ListenAddress,
  { reusePort, ipv6Only }: UdpSocketOptions,
): number | undefined {
  const ip = parseIp(host)
  const family = isIPv6(host) ? 6 : 4
  // A name, or an address with a zone, whose number only the system knows.
  if (ip === undefined || ip.family !== family || host.includes('%')) return undefined
  const domain = family === 6 ? AF_INET6 : AF_INET
  const fd = library.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  const address = socketAddress(domain, ip, port)
  const isBound =
    (!reusePort || isSet(library, fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
    (!ipv6Only || family === 4 || isSet(library, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
    library.bind(fd, address, address.length) === 0
  if (isBound) return fd
  library.close(fd)
  return undefined
}

/** Node lets any program of this machine bind a port that it was given with its socket; this one does not. */
export function keepPort(library: CLibrary, fd: number): void {
  assert(isSet(library, fd, SOL_SOCKET, SO_REUSEADDR, 0), 'an open socket takes its options')
}

function isSet(library: CLibrary, fd: number, level: number, name: number, value: 0 | 1): boolean {
  const bytes = Uint8Array.of(value, 0, 0, 0)
  return library.setsockopt(fd, level, name, bytes, bytes.length) === 0
}

/** `sockaddr_in` or `sockaddr_in6`: family as the machine has it, port and address in network order. */
function socketAddress(domain: number, { a, b, c, d }: IpAddress, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(domain === AF_INET6 ? 28 : 16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, domain, true)
  view.setUint16(2, port)
  if (domain === AF_INET) view.setUint32(4, d)
  else for (const [i, word] of [a, b, c, d].entries()) view.setUint32(8 + 4 * i, word)
  return bytes
}
