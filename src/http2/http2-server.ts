// HTTP/2 on connections whose TLS handshake agreed on it, into the same flow as HTTP/1.1.
import type { TLSSocket } from 'node:tls'
import { Http2Connection } from './http2-connection.ts'
import type { Http2Host } from './http2-connection.ts'

export type Http2ServerOptions = Omit<Http2Host, 'closed'>

export class Http2Server {
  private readonly connections = new Set<Http2Connection>()
  private readonly host: Http2Host
  private draining = false

  constructor(options: Http2ServerOptions) {
    this.host = { ...options, closed: (connection) => this.connections.delete(connection) }
  }

  get connectionCount(): number {
    return this.connections.size
  }

  take(socket: TLSSocket): void {
    const connection = new Http2Connection(socket, this.host)
    this.connections.add(connection)
    if (this.draining) connection.drain()
  }

  checkDeadlines(nowMs: number): void {
    for (const connection of this.connections) connection.checkDeadline(nowMs)
  }

  /** What runs is finished; further requests are refused, and may be sent elsewhere. */
  drain(): void {
    this.draining = true
    for (const connection of this.connections) connection.drain()
  }

  close(): void {
    for (const connection of this.connections) connection.destroy()
  }
}
