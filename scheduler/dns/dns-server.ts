// The DNS server on all its addresses, UDP and TCP on one port each. Owns the listeners.
import type { ListenAddress } from '../../src/config/values.ts'
import type { Clock } from '../../src/clock.ts'
import { formatAuthority } from '../../src/net/listen.ts'
import type { DnsMetrics } from './metrics.ts'
import type { Responding } from './responder.ts'
import { TcpListener } from './tcp-listener.ts'
import { UdpListener } from './udp-listener.ts'

const SETTING = 'scheduler.dns.listen'

export interface DnsServerOptions {
  readonly responder: Responding
  readonly metrics: DnsMetrics
  readonly clock: Clock
  readonly reusePort: boolean
}

export class DnsServer {
  /** `host:port` of each. */
  readonly addresses: string[] = []
  readonly #options: DnsServerOptions
  readonly #listeners: (UdpListener | TcpListener)[] = []

  constructor(options: DnsServerOptions) {
    this.#options = options
  }

  /** Port 0 takes one that is free for both. */
  async listen(addresses: readonly ListenAddress[]): Promise<void> {
    // Beside one of IPv4, a listener on `[::]` would take its port too.
    const options = { ...this.#options, ipv6Only: addresses.length > 1 }
    for (const address of addresses) {
      const tcp = new TcpListener(options)
      this.#listeners.push(tcp)
      // oxlint-disable-next-line no-await-in-loop -- one error names one listener
      const port = await tcp.listen(address, SETTING)
      const udp = new UdpListener(address, options)
      this.#listeners.push(udp)
      // oxlint-disable-next-line no-await-in-loop -- one error names one listener
      await udp.listen({ ...address, port }, SETTING)
      this.addresses.push(formatAuthority(address.host, port))
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()))
  }
}
