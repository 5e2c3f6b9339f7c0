// How many connections each client address holds. What counts as one address: an IPv4 address, also in its mapped
// form (::ffff:a.b.c.d, what a dual-stack socket reports), and a whole /64 of IPv6: a viewer is given at least that
// much, and could otherwise take as many addresses as there are connections.
import { formatNetwork, networkOf, parseIp } from '../net/ip.ts'

const IPV6_PREFIX_LENGTH = 64

export class AddressCounts {
  private readonly open = new Map<string, number>()
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  /** Counts one more; undefined when the address holds as many as it may. The result takes it off again, once. */
  admit(remoteAddress: string): (() => void) | undefined {
    const key = addressKey(remoteAddress)
    const open = this.open.get(key) ?? 0
    if (open >= this.max) return undefined
    this.open.set(key, open + 1)
    return () => {
      const left = (this.open.get(key) ?? 1) - 1
      if (left > 0) this.open.set(key, left)
      else this.open.delete(key)
    }
  }

  /** Addresses that hold connections. */
  get size(): number {
    return this.open.size
  }
}

export function addressKey(remoteAddress: string): string {
  if (!remoteAddress.includes(':')) return remoteAddress
  const address = parseIp(remoteAddress)
  if (address === undefined) return remoteAddress
  return formatNetwork(networkOf(address, address.family === 4 ? 32 : IPV6_PREFIX_LENGTH)).replace(
    /\/32$/,
    '',
  )
}
