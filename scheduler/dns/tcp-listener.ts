// DNS over TCP on one address (RFC 7766): accepts connections, bounds how many there are, and closes those that bring no
// query. Owns the server and its connections.
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Clock } from '../../src/clock.ts'
import type { ListenAddress } from '../../src/config/values.ts'
import { AddressCounts } from '../../src/listener/address-counts.ts'
import { parseIp } from '../../src/net/ip.ts'
import { listen } from '../../src/net/listen.ts'
import { TCP_CONNECTIONS_MAX, TCP_CONNECTIONS_PER_ADDRESS_MAX, TCP_IDLE_MS } from './limits.ts'
import type { DnsMetrics } from './metrics.ts'
import type { DnsResponder } from './responder.ts'
import { TcpConnection } from './tcp-connection.ts'

export interface TcpListenerOptions {
  readonly responder: DnsResponder
  readonly metrics: DnsMetrics
  readonly clock: Clock
  readonly reusePort: boolean
  readonly ipv6Only: boolean
}

export class TcpListener {
  readonly #options: TcpListenerOptions
  readonly #server: Server
  readonly #addresses = new AddressCounts(TCP_CONNECTIONS_PER_ADDRESS_MAX)
  /** That whose last query is the oldest comes first. */
  readonly #connections = new Set<TcpConnection>()
  readonly #sweep: NodeJS.Timeout

  constructor(options: TcpListenerOptions) {
    this.#options = options
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    this.#sweep = setInterval(() => this.#closeIdle(), 1000)
    this.#sweep.unref()
  }

  /** Gives the port. `setting` is the key that moves the listener. */
  listen(address: ListenAddress, setting: string): Promise<number> {
    const { reusePort, ipv6Only } = this.#options
    return listen(this.#server, address, setting, { reusePort, ipv6Only })
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.close()
    await closed
  }

  #accept(socket: Socket): void {
    const { remoteAddress = '' } = socket
    const peer = parseIp(remoteAddress)
    const leave = peer === undefined ? undefined : this.#addresses.admit(remoteAddress)
    if (peer === undefined || leave === undefined) {
      this.#options.metrics.noReply('too-many-connections')
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    if (this.#connections.size >= TCP_CONNECTIONS_MAX) {
      this.#options.metrics.noReply('too-many-connections')
      const [idlest] = this.#connections
      idlest?.close()
    }
    const { responder, clock } = this.#options
    const connection = new TcpConnection(socket, peer, responder, () => this.#moved(connection))
    connection.queriedAtMs = clock.monotonic()
    this.#connections.add(connection)
    socket.once('close', () => {
      this.#connections.delete(connection)
      leave()
    })
  }

  /** A query has come of it: it is the last that would be closed. */
  #moved(connection: TcpConnection): void {
    connection.queriedAtMs = this.#options.clock.monotonic()
    if (this.#connections.delete(connection)) this.#connections.add(connection)
  }

  #closeIdle(): void {
    const nowMs = this.#options.clock.monotonic()
    for (const connection of this.#connections) {
      if (nowMs - connection.queriedAtMs < TCP_IDLE_MS) return
      connection.close()
    }
  }
}
