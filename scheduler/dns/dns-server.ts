// The DNS server on all its addresses, UDP and TCP on one port each. Owns the listeners.
import type { ListenAddress } from '../../src/config/values.ts'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { formatAuthority } from '../../src/net/listen.ts'
import type { DnsMetrics } from './metrics.ts'
import type { Responding } from './responder.ts'
import { TcpListener } from './tcp/tcp-listener.ts'
import { loadCLibrary } from './udp/c-library.ts'
import type { CLibrary } from './udp/c-library.ts'
import { UdpListener } from './udp/udp-listener.ts'

const SETTING = 'scheduler.dns.listen'
const ONE_A_CALL = 'DNS over UDP takes and sends one packet a call, which costs twice as much'

export interface DnsServerOptions {
  readonly responder: Responding
  readonly metrics: DnsMetrics
  readonly clock: Clock
  readonly log: Logger
  readonly reusePort: boolean
  /** Many packets over UDP a call, where that can be had. */
  readonly udpBatches: boolean
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
    const library = await this.#library()
    // Beside one of IPv4, a listener on `[::]` would take its port too.
    const options = { ...this.#options, library, ipv6Only: addresses.length > 1 }
    for (const address of addresses) {
      const tcp = new TcpListener(options)
      this.#listeners.push(tcp)
      // oxlint-disable-next-line no-await-in-loop -- one error names one listener
      const port = await tcp.listen(address, SETTING)
      const udp = new UdpListener(address, options)
      this.#listeners.push(udp)
      // oxlint-disable-next-line no-await-in-loop -- one error names one listener
      await udp.listen({ ...address, port }, SETTING)
      const authority = formatAuthority(address.host, port)
      if (library !== undefined && !udp.isBatching)
        this.#options.log.warn({ listener: authority }, ONE_A_CALL)
      this.addresses.push(authority)
    }
  }

  async #library(): Promise<CLibrary | undefined> {
    const { udpBatches, log } = this.#options
    const library = udpBatches ? await loadCLibrary() : undefined
    if (typeof library !== 'string') return library
    log.warn({ why: library }, ONE_A_CALL)
    return undefined
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()))
  }
}
