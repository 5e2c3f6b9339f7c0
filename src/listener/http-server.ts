// The public listener of both daemons: accepts, counts and caps connections, and gives each to the protocol that it
// speaks: HTTP/1.1 on a plain listener; on one with certificates what ALPN agrees on, HTTP/2 or HTTP/1.1.
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../clock.ts'
import type { ListenAddress } from '../config/values.ts'
import { dateSource } from '../http/date.ts'
import { FieldBlock, NO_FIELDS } from '../http/fields.ts'
import type { TransactionHandler } from '../http/transaction.ts'
import { Http1Server } from '../http1/http1-server.ts'
import type { QuickHandler } from '../http1/quick.ts'
import { Http2Server } from '../http2/http2-server.ts'
import { listen } from '../net/listen.ts'
import type { CertificateSet } from '../tls/certificate-set.ts'
import { TlsGate } from '../tls/tls-gate.ts'
import { AddressCounts } from './address-counts.ts'
import { CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX } from './limits.ts'

export interface HttpServerOptions {
  handler: TransactionHandler
  /** For plain requests of plain connections, before it. */
  quick?: QuickHandler
  clock: Clock
  connectionsMax?: number
  connectionsPerAddressMax?: number
  /** Present: TLS is spoken, and nothing else. */
  tls?:
    | {
        readonly certificates: CertificateSet
        /** Strict-Transport-Security; left out: not sent. */
        readonly hstsMs?: number | undefined
      }
    | undefined
}

/** What the listener asks of a protocol. */
interface Protocol {
  readonly connectionCount: number
  checkDeadlines(nowMs: number): void
  drain(): void
  close(): void
}

export class HttpServer {
  /** Connections closed at accept because a cap was reached. */
  refused = 0
  private readonly server: Server
  private readonly tls: TlsGate | null
  private readonly http1: Http1Server
  private readonly http2: Http2Server
  private readonly protocols: readonly Protocol[]
  private readonly addresses: AddressCounts
  private readonly connectionsMax: number
  private readonly clock: Clock
  private readonly sweep: NodeJS.Timeout

  constructor(options: HttpServerOptions) {
    const { clock, handler, tls } = options
    this.clock = clock
    this.connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX
    this.addresses = new AddressCounts(options.connectionsPerAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX)
    const shared = {
      handler,
      quick: options.quick ?? null,
      secure: tls !== undefined,
      date: dateSource(() => clock.now()),
      monotonic: () => clock.monotonic(),
      always: strictTransportSecurity(tls?.hstsMs),
    }
    this.http1 = new Http1Server(shared)
    this.http2 = new Http2Server(shared)
    this.tls =
      tls === undefined ? null : new TlsGate(tls.certificates, clock, (socket) => this.secured(socket))
    this.protocols = [this.http1, this.http2, ...(this.tls === null ? [] : [this.tls])]
    this.server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.accept(socket))
    this.sweep = setInterval(() => this.checkDeadlines(), 1000)
    this.sweep.unref()
  }

  /** Open client connections, those in their handshake included. */
  get connectionCount(): number {
    let count = 0
    for (const protocol of this.protocols) count += protocol.connectionCount
    return count
  }

  /** TLS handshakes that came to nothing. */
  get handshakesFailed(): number {
    return this.tls?.failed ?? 0
  }

  /** Gives the port in use. `setting` is the key that moves the listener, for the error. */
  listen(address: ListenAddress, setting: string): Promise<number> {
    return listen(this.server, address, setting)
  }

  /** For handshakes from now on; connections there are keep what they have. */
  replaceCertificates(certificates: CertificateSet): void {
    this.tls?.replace(certificates)
  }

  /** Stops accepting, lets running replies finish for at most `graceMs`, then closes what is left. */
  async drain(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    const deadline = this.clock.monotonic() + graceMs
    for (const protocol of this.protocols) protocol.drain()
    while (this.connectionCount > 0 && this.clock.monotonic() < deadline) {
      // oxlint-disable-next-line no-await-in-loop -- it is a wait
      await new Promise((resolve) => setTimeout(resolve, 20))
      for (const protocol of this.protocols) protocol.drain()
    }
    for (const protocol of this.protocols) protocol.close()
    await closed
    clearInterval(this.sweep)
  }

  private accept(accepted: Socket): void {
    const leave =
      this.connectionCount < this.connectionsMax
        ? this.addresses.admit(accepted.remoteAddress ?? '')
        : undefined
    if (leave === undefined) {
      this.refused++
      accepted.on('error', () => {})
      accepted.destroy()
      return
    }
    const socket = this.tls === null ? this.http1.takePlain(accepted) : this.tls.take(accepted)
    if (socket === undefined) leave()
    else socket.once('close', leave)
  }

  private secured(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') this.http2.take(socket)
    else this.http1.takeSecure(socket)
  }

  private checkDeadlines(): void {
    const now = this.clock.monotonic()
    for (const protocol of this.protocols) protocol.checkDeadlines(now)
  }
}

/** RFC 6797; over plain HTTP it must not be sent, and is not: it comes with the certificates. */
function strictTransportSecurity(durationMs: number | undefined): FieldBlock {
  if (durationMs === undefined) return NO_FIELDS
  return new FieldBlock(['Strict-Transport-Security', `max-age=${Math.floor(durationMs / 1000)}`])
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new HttpServer(options)
}
