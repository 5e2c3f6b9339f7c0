// DNS over TCP on one address (RFC 7766): accepts connections, bounds how many there are, and closes those that bring no
// query. Owns the server and its connections.
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Clock } from '../../../src/clock.ts'
import type { ListenAddress } from '../../../src/config/values.ts'
import { AddressCounts } from '../../../src/listener/address-counts.ts'
import { parseIp } from '../../../src/net/ip.ts'
import { listen } from '../../../src/net/listen.ts'
import { TCP_CONNECTIONS_MAX, TCP_CONNECTIONS_PER_ADDRESS_MAX, TCP_IDLE_MS } from '../limits.ts'
import type { DnsMetrics } from '../metrics.ts'
import type { Responding } from '../responder.ts'
import { TcpConnection } from './tcp-connection.ts'
import { TcpTurns } from './tcp-turns.ts'

export interface TcpListenerOptions {
  readonly responder: Responding
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
  readonly #turns = new TcpTurns()
  readonly #sweep: NodeJS.Timeout

  constructor(options: TcpListenerOptions) {
    this.#options = options
    // A client may send no more and still wait for replies (RFC 7766 §6.2.4).
    const half = { noDelay: true, allowHalfOpen: true }
    this.#server = createServer(half, (socket) => this.#accept(socket))
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
    this.#turns.close()
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
      // Not when it is closed, or all that come in one turn would push out the same one.
      if (idlest !== undefined) this.#connections.delete(idlest)
      idlest?.close()
    }
    const { responder, clock } = this.#options
    const connection = new TcpConnection({
      socket,
      peer,
      responder,
      onReady: (ready) => this.#turns.add(ready),
      onAnswered: (answered) => this.#moved(answered),
    })
    connection.queriedAtMs = clock.monotonic()
    this.#connections.add(connection)
    socket.once('close', () => {
      this.#connections.delete(connection)
      this.#turns.delete(connection)
      leave()
    })
  }

  /** A query of it was answered: it is the last that would be closed. */
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
