// The public HTTP/1.1 listener of both daemons: the bodiless server on node:net for what players send, and
// a node:http server that takes over, for the rest of its life, any connection that sends something else.
import { createServer as createHttpServerOfNode } from 'node:http'
import type { Server as NodeHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import type { ListenAddress } from '../config/values.ts'
import { dateSource } from '../http/date.ts'
import { NO_FIELDS } from '../http/fields.ts'
import type { TransactionHandler } from '../http/transaction.ts'
import { listen } from '../net/listen.ts'
import { Http1Connection } from './connection.ts'
import type { ConnectionHost } from './connection.ts'
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  HEAD_BYTES_MAX,
  HEAD_FIELDS_MAX,
  HEAD_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
} from './limits.ts'
import { NodeTransaction } from './node-transaction.ts'
import { ReplyBytes } from './reply-bytes.ts'
import { readShared } from './shared-read.ts'

export interface HttpServerOptions {
  handler: TransactionHandler
  clock: Clock
  connectionsMax?: number
  connectionsPerAddressMax?: number
}

export class HttpServer {
  /** Connections closed at accept because a cap was reached. */
  refused = 0
  private readonly server: Server
  private readonly full: NodeHttpServer
  private readonly connections = new Set<Http1Connection>()
  private readonly handedOver = new Set<Socket>()
  private readonly perAddress = new Map<string, number>()
  private readonly host: ConnectionHost & { draining: boolean }
  private readonly connectionsMax: number
  private readonly perAddressMax: number
  private readonly clock: Clock
  private readonly sweep: NodeJS.Timeout

  constructor(options: HttpServerOptions) {
    this.clock = options.clock
    this.connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX
    this.perAddressMax = options.connectionsPerAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX
    const date = dateSource(() => options.clock.now())
    this.host = {
      handler: options.handler,
      secure: false,
      date,
      monotonic: () => options.clock.monotonic(),
      replies: new ReplyBytes(),
      draining: false,
      handOver: (socket, unread) => this.handOver(socket, unread),
      closed: (connection) => this.connections.delete(connection),
    }
    this.full = createFullServer(options.handler, date)
    this.server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.accept(socket))
    this.sweep = setInterval(() => this.checkDeadlines(), 1000)
    this.sweep.unref()
  }

  /** Open client connections. */
  get connectionCount(): number {
    return this.connections.size + this.handedOver.size
  }

  /** Gives the port in use. `setting` is the key that moves the listener, for the error. */
  listen(address: ListenAddress, setting: string): Promise<number> {
    return listen(this.server, address, setting)
  }

  /** Stops accepting, lets running replies finish for at most `graceMs`, then closes what is left. */
  async drain(graceMs: number): Promise<void> {
    this.host.draining = true
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const connection of this.connections) connection.drain()
    this.full.closeIdleConnections()
    const deadline = this.clock.monotonic() + graceMs
    while (this.connectionCount > 0 && this.clock.monotonic() < deadline) {
      // oxlint-disable-next-line no-await-in-loop -- it is a wait
      await new Promise((resolve) => setTimeout(resolve, 20))
      for (const connection of this.connections) connection.drain()
      this.full.closeIdleConnections()
    }
    for (const connection of this.connections) connection.destroy()
    for (const socket of this.handedOver) socket.destroy()
    await closed
    this.full.close()
    clearInterval(this.sweep)
  }

  private accept(accepted: Socket): void {
    const address = accepted.remoteAddress ?? ''
    const open = this.perAddress.get(address) ?? 0
    if (this.connectionCount >= this.connectionsMax || open >= this.perAddressMax) {
      this.refused++
      accepted.on('error', () => {})
      accepted.destroy()
      return
    }
    const socket = readShared(accepted, (bytes) => connection.read(bytes))
    if (socket === undefined) return
    const connection = new Http1Connection(socket, this.host)
    this.connections.add(connection)
    this.perAddress.set(address, open + 1)
    socket.once('close', () => {
      const left = (this.perAddress.get(address) ?? 1) - 1
      if (left > 0) this.perAddress.set(address, left)
      else this.perAddress.delete(address)
    })
  }

  private handOver(socket: Socket, unread: Buffer): void {
    this.handedOver.add(socket)
    socket.once('close', () => this.handedOver.delete(socket))
    socket.unshift(unread)
    this.full.emit('connection', socket)
    socket.resume()
  }

  private checkDeadlines(): void {
    const now = this.clock.monotonic()
    for (const connection of this.connections) connection.checkDeadline(now)
  }
}

function createFullServer(handler: TransactionHandler, date: () => string): NodeHttpServer {
  const server = createHttpServerOfNode({
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: HEAD_TIMEOUT_MS * 3,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
    insecureHTTPParser: false,
    requireHostHeader: true,
    // As the other server reads them; node:http alone would keep the first of some fields.
    joinDuplicateHeaders: true,
  })
  server.maxHeadersCount = HEAD_FIELDS_MAX
  const onRequest: Parameters<NodeHttpServer['on']>[1] = (message, response) => {
    const transaction = new NodeTransaction(message, response, false, date)
    if (transaction.fault === null) handler(transaction)
    else refuse(transaction, transaction.fault)
  }
  server.on('request', onRequest)
  // A client that waits for 100 gets its final answer instead; nobody here reads a body.
  server.on('checkContinue', onRequest)
  // It never listens itself, and only this event starts node:http's watch over its head and request timeouts.
  server.emit('listening')
  return server
}

const FAULT_TEXT = {
  'bad-version': 'HTTP/1.1 is spoken here\n',
  'duplicate-host': 'more than one Host field\n',
  'bad-target': 'request target not understood\n',
}

function refuse(transaction: NodeTransaction, fault: keyof typeof FAULT_TEXT): void {
  const body = Buffer.from(FAULT_TEXT[fault])
  const extra = ['Content-Type', 'text/plain; charset=utf-8', 'Connection', 'close']
  transaction.send({ status: 400, fields: NO_FIELDS, extra, length: body.length }, body)
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new HttpServer(options)
}
