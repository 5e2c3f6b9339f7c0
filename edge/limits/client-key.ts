// What counts as one client: an IPv4 address, or an IPv6 /64, which is the least that one subscriber is given
// (RFC 6177). An IPv4 address that a dual-stack socket reports as IPv6 is the IPv4 address already.
import { formatIp, formatNetwork, networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'

/** undefined: its connection is gone; such requests count as one client. */
export function clientKeyOf(address: IpAddress | undefined): string {
  if (address === undefined) return ''
  return address.family === 4 ? formatIp(address) : formatNetwork(networkOf(address, 64))
}
