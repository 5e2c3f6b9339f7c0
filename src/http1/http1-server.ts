// HTTP/1.1 on connections that a listener has accepted, plain or through TLS: the bodiless server for what players
// send, and a node:http server that takes over, for the rest of its life, any connection that sends something else.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FieldBlock } from '../http/fields.ts'
import type { TransactionHandler } from '../http/transaction.ts'
import { Http1Connection } from './connection.ts'
import type { ConnectionHost } from './connection.ts'
import type { QuickHandler } from './quick.ts'
import { createFullServer } from './full-server.ts'
import { ReplyBytes } from './reply-bytes.ts'
import { ReplyTurn } from './reply-turn.ts'
import { readShared } from './shared-read.ts'

export interface Http1ServerOptions {
  handler: TransactionHandler
  quick: QuickHandler | null
  secure: boolean
  /** Text of the Date field. */
  date: () => string
  monotonic: () => number
  /** Fields of every reply, such as Strict-Transport-Security. */
  always: FieldBlock
}

export class Http1Server {
  private readonly full: Server
  private readonly connections = new Set<Http1Connection>()
  private readonly handedOver = new Set<Socket>()
  private readonly host: ConnectionHost & { draining: boolean; sweptMs: number }

  constructor(options: Http1ServerOptions) {
    this.host = {
      ...options,
      replies: new ReplyBytes(),
      turn: new ReplyTurn(),
      draining: false,
      sweptMs: options.monotonic(),
      handOver: (socket, unread) => this.handOver(socket, unread),
      closed: (connection) => this.connections.delete(connection),
    }
    this.full = createFullServer(this.host)
  }

  get connectionCount(): number {
    return this.connections.size + this.handedOver.size
  }

  /**
   * A plain connection, of which nothing was read yet. `accepted` is used up: what is read from, and closes, is the
   * socket that comes back; undefined when the connection is gone already.
   */
  takePlain(accepted: Socket): Socket | undefined {
    const socket = readShared(accepted, (bytes) => connection.read(bytes))
    if (socket === undefined) return undefined
    const connection = new Http1Connection(socket, this.host)
    this.connections.add(connection)
    return socket
  }

  /** A connection whose TLS handshake is over. */
  takeSecure(socket: TLSSocket): void {
    const connection = new Http1Connection(socket, this.host)
    this.connections.add(connection)
    socket.allowHalfOpen = true
    socket.on('data', connection.read)
  }

  checkDeadlines(nowMs: number): void {
    this.host.sweptMs = nowMs
    for (const connection of this.connections) connection.checkDeadline(nowMs)
  }

  /** From now on each reply closes its connection; what is idle is closed at once. Call again until none is left. */
  drain(): void {
    this.host.draining = true
    for (const connection of this.connections) connection.drain()
    this.full.closeIdleConnections()
  }

  close(): void {
    for (const connection of this.connections) connection.destroy()
    for (const socket of this.handedOver) socket.destroy()
    this.full.close()
  }

  private handOver(socket: Socket, unread: Buffer): void {
    this.handedOver.add(socket)
    socket.once('close', () => this.handedOver.delete(socket))
    socket.unshift(unread)
    this.full.emit('connection', socket)
    socket.resume()
  }
}
