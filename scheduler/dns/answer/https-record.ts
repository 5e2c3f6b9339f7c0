// The HTTPS record of a steered name (RFC 9460): its edges speak h2, and where they are. A browser that has it asks over
// TLS from the first request on, so that it is only there where every edge of the answer does.
import type { EdgeView } from '../../topology.ts'
import { writeLatin1, writeU16 } from '../message/octets.ts'

const KEY = { ALPN: 1, PORT: 3, IPV4_HINT: 4, IPV6_HINT: 6 } as const
const HTTPS_PORT = 443

/** null: they do not all speak TLS on one port. */
export function httpsData(
  ipv4: readonly EdgeView[],
  ipv6: readonly EdgeView[],
  addressesMax: number,
): Uint8Array | null {
  const ports = new Set([...ipv4, ...ipv6].map(tlsPortOf))
  const [port] = ports
  if (ports.size !== 1 || port === undefined || port === null) return null
  const hints4 = ipv4.flatMap((edge) => edge.addressData[4]).slice(0, addressesMax)
  const hints6 = ipv6.flatMap((edge) => edge.addressData[6]).slice(0, addressesMax)
  // By number, each once (RFC 9460 §2.2). What ALPN leaves out, http/1.1, is understood (§7.1.2).
  const parameters = [parameter(KEY.ALPN, latin1('\x02h2'))]
  if (port !== HTTPS_PORT) parameters.push(parameter(KEY.PORT, Uint8Array.of(port >>> 8, port)))
  if (hints4.length > 0) parameters.push(parameter(KEY.IPV4_HINT, Buffer.concat(hints4)))
  if (hints6.length > 0) parameters.push(parameter(KEY.IPV6_HINT, Buffer.concat(hints6)))
  // Priority 1; the target `.` is the owner itself.
  return Buffer.concat([Uint8Array.of(0, 1, 0), ...parameters])
}

function tlsPortOf({ url }: EdgeView): number | null {
  const { protocol, port } = new URL(url)
  if (protocol !== 'https:') return null
  return port === '' ? HTTPS_PORT : Number(port)
}

function parameter(key: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + value.length)
  writeU16(bytes, 0, key)
  writeU16(bytes, 2, value.length)
  bytes.set(value, 4)
  return bytes
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  writeLatin1(bytes, 0, text)
  return bytes
}
