// One client connection of the bodiless server: reads heads, runs one request at a time through the flow,
// writes its reply, and watches the deadlines. Owns the socket until it is closed or handed over.
import type { Socket } from 'node:net'
import { serialiseFields } from '../http/fields.ts'
import type { FieldPairs } from '../http/fields.ts'
import type {
  ReplyHead,
  HttpReply,
  HttpRequest,
  Transaction,
  TransactionHandler,
} from '../http/transaction.ts'
import { HeadParser } from './head-parser.ts'
import {
  HEAD_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  PIPELINE_BYTES_MAX,
  SMALL_BODY_BYTES,
  WRITE_TIMEOUT_MS,
  writeTimeoutMs,
} from './limits.ts'
import { headBytes } from './reply-bytes.ts'
import type { ReplyBytes } from './reply-bytes.ts'
import { formatReplyStart, isBodiless, statusLine } from './reply-head.ts'
import { isShared } from './shared-read.ts'

export interface ConnectionHost {
  readonly handler: TransactionHandler
  readonly secure: boolean
  /** Text of the Date field. */
  date(): string
  monotonic(): number
  readonly replies: ReplyBytes
  /** True once the server drains: each reply then closes its connection. */
  readonly draining: boolean
  handOver(socket: Socket, unread: Buffer): void
  closed(connection: Http1Connection): void
}

type State = 'head' | 'idle' | 'busy' | 'over' | 'handed-over'

export class Http1Connection {
  readonly remoteAddress: string
  private readonly parser = new HeadParser()
  private readonly host: ConnectionHost
  private readonly socket: Socket
  private state: State = 'head'
  private deadlineMs: number
  /** By when the client must have taken what was written to it last. */
  private writeDeadlineMs = 0
  private unread: Buffer | null = null
  /** How much of `unread` was searched for the end of a head. */
  private scanned = 0
  private current: Http1Transaction | null = null
  private clientEnded = false
  private advancing = false

  constructor(socket: Socket, host: ConnectionHost) {
    this.socket = socket
    this.host = host
    this.remoteAddress = socket.remoteAddress ?? ''
    this.deadlineMs = host.monotonic() + HEAD_TIMEOUT_MS
    socket.setNoDelay(true)
    socket.on('end', this.onEnd)
    socket.on('drain', this.onDrain)
    socket.on('error', this.onError)
    socket.on('close', this.onClose)
  }

  get busy(): boolean {
    return this.state === 'busy' || this.socket.writableLength > 0
  }

  /** Called by the server's one timer. */
  checkDeadline(nowMs: number): void {
    if (nowMs < this.deadlineMs) return
    const unsent = this.socket.writableLength > 0
    if (unsent && nowMs < this.writeDeadlineMs) return
    if (this.state === 'busy') {
      if (unsent) this.socket.destroy()
    } else if (unsent || this.state !== 'head' || this.unread === null) {
      this.socket.destroy()
    } else {
      this.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      this.over()
    }
  }

  /** Closes at once when nothing is being answered, else after the reply. */
  drain(): void {
    if (!this.busy) this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Bytes from the client, in a buffer that is the caller's again afterwards. */
  readonly read = (bytes: Buffer): void => {
    if (this.state === 'handed-over') this.socket.push(Buffer.from(bytes))
    if (this.state === 'over' || this.state === 'handed-over') return
    this.unread = this.unread === null ? bytes : Buffer.concat([this.unread, bytes])
    if (this.state !== 'busy') this.advance()
    if (this.unread !== null && isShared(this.unread)) this.unread = Buffer.from(this.unread)
    // Still there: a reply is being made, or its client sends on without reading it.
    if (this.unread !== null && this.unread.length > PIPELINE_BYTES_MAX) this.socket.pause()
  }

  /** Answers the requests at hand. A loop, not recursion: a pipelining client must not deepen the stack. */
  private advance(): void {
    if (this.advancing) return
    this.advancing = true
    while (this.unread !== null && (this.state === 'head' || this.state === 'idle')) {
      if (this.socket.writableNeedDrain) break
      if (!this.next(this.unread)) break
    }
    this.advancing = false
    if (this.state === 'over' || this.state === 'handed-over') return
    if (this.socket.isPaused() && (this.unread?.length ?? 0) <= PIPELINE_BYTES_MAX) this.socket.resume()
    if (this.clientEnded && this.unread === null && this.state !== 'busy') this.socket.end()
  }

  private next(unread: Buffer): boolean {
    const outcome = this.parser.parse(unread, 0, this.scanned)
    if (outcome === 'incomplete') {
      if (this.state === 'idle') this.deadlineMs = this.host.monotonic() + HEAD_TIMEOUT_MS
      this.state = 'head'
      this.scanned = unread.length
      if (this.clientEnded) this.socket.end()
      return false
    }
    if (outcome === 'hand-over') {
      this.handOver(unread)
      return false
    }
    this.scanned = 0
    this.unread = this.parser.end < unread.length ? unread.subarray(this.parser.end) : null
    this.state = 'busy'
    this.deadlineMs = Number.POSITIVE_INFINITY
    this.current = new Http1Transaction(this, this.parser, this.host)
    this.host.handler(this.current)
    return true
  }

  private handOver(unread: Buffer): void {
    if (this.clientEnded) {
      // A stream that has ended takes nothing back. Only a pipelining client that closed its side meets this.
      this.socket.end()
      this.over()
      return
    }
    this.state = 'handed-over'
    this.socket.pause()
    this.socket.off('end', this.onEnd)
    this.socket.off('drain', this.onDrain)
    this.socket.off('error', this.onError)
    this.unread = null
    this.host.closed(this)
    this.host.handOver(this.socket, Buffer.from(unread))
  }

  /** The reply is written: back to reading, or close. */
  finished(close: boolean): void {
    this.current = null
    if (this.state !== 'busy') return
    if (this.socket.destroyed) {
      // The reply was cut: what the client has pipelined behind it is not answered.
      this.over()
      return
    }
    if (close) {
      this.socket.end()
      this.over()
      return
    }
    this.state = 'idle'
    this.deadlineMs = this.host.monotonic() + IDLE_TIMEOUT_MS
    if (this.unread !== null || this.clientEnded) this.advance()
  }

  writeText(text: string): void {
    this.socket.write(text, 'latin1')
    this.written()
  }

  writeBytes(bytes: Uint8Array, done?: (error?: Error | null) => void): void {
    this.socket.write(bytes, done)
    this.written()
  }

  /** Bytes that the kernel has not taken yet. */
  get unsent(): number {
    return this.socket.writableLength
  }

  private written(): void {
    const { unsent } = this
    if (unsent === 0) return
    this.writeDeadlineMs = this.host.monotonic() + writeTimeoutMs(unsent)
    if (this.state === 'busy') this.deadlineMs = this.writeDeadlineMs
  }

  cork(): void {
    this.socket.cork()
  }

  uncork(): void {
    this.socket.uncork()
  }

  get writable(): boolean {
    return this.socket.writable
  }

  /** What the client still sends is read and dropped until it closes, or until the sweep ends it. */
  private over(): void {
    this.state = 'over'
    this.unread = null
    this.deadlineMs = this.host.monotonic() + WRITE_TIMEOUT_MS
    this.socket.resume()
  }

  private readonly onEnd = (): void => {
    this.clientEnded = true
    // A client may close its side after its last request and still read the answer.
    if (this.state !== 'busy') this.advance()
  }

  private readonly onDrain = (): void => {
    if (this.state === 'idle') this.advance()
  }

  private readonly onError = (): void => {
    this.socket.destroy()
  }

  private readonly onClose = (): void => {
    this.state = 'over'
    this.unread = null
    const current = this.current
    this.current = null
    current?.clientLeft()
    this.host.closed(this)
  }
}

/** One request and its reply. Request fields hold until the reply is over. */
class Http1Transaction implements Transaction, HttpRequest, HttpReply {
  readonly version = '1.1'
  readonly method: string
  readonly target: string
  readonly secure: boolean
  readonly body = null
  closed = false
  bodyBytes = 0
  status = 0
  onFinish: ((complete: boolean) => void) | null = null
  private readonly connection: Http1Connection
  private readonly parser: HeadParser
  private readonly server: ConnectionHost
  private readonly close: boolean
  private chunked = false
  private over = false

  constructor(connection: Http1Connection, parser: HeadParser, server: ConnectionHost) {
    this.connection = connection
    this.parser = parser
    this.server = server
    this.method = parser.method
    this.target = parser.target
    this.close = parser.close
    this.secure = server.secure
  }

  get request(): HttpRequest {
    return this
  }

  get reply(): HttpReply {
    return this
  }

  get host(): string {
    return this.parser.host
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress
  }

  header(lowerName: string): string | undefined {
    return this.parser.header(lowerName)
  }

  fields(): FieldPairs {
    return this.parser.fields()
  }

  interim(status: number, fields: FieldPairs): void {
    if (this.closed || this.status !== 0) return
    this.connection.writeText(`${statusLine(status)}${serialiseFields(fields)}\r\n`)
  }

  send(head: ReplyHead, body: Uint8Array | null): void {
    if (this.closed) return
    const start = this.startOf(head, false)
    const { connection } = this
    const { replies } = this.server
    if (body === null || body.length <= SMALL_BODY_BYTES) {
      connection.writeBytes(replies.compose(start, head, body))
    } else {
      connection.cork()
      connection.writeBytes(replies.compose(start, head, null))
      connection.writeBytes(body)
      connection.uncork()
    }
    replies.settle(connection.unsent === 0)
    this.bodyBytes = body?.length ?? 0
    this.finish(true)
  }

  start(head: ReplyHead): void {
    if (this.closed) return
    this.chunked = head.length === null && !isBodiless(head.status) && this.method !== 'HEAD'
    this.connection.cork()
    this.connection.writeBytes(headBytes(this.startOf(head, this.chunked), head))
    // The first chunk, when it is at hand, leaves with the head.
    process.nextTick(() => this.connection.uncork())
  }

  write(chunk: Uint8Array): Promise<boolean> {
    if (this.closed || !this.connection.writable) return Promise.resolve(false)
    this.bodyBytes += chunk.length
    return new Promise((resolve) => {
      const done = (error?: Error | null) => resolve(error === undefined || error === null)
      if (!this.chunked) {
        this.connection.writeBytes(chunk, done)
        return
      }
      this.connection.cork()
      this.connection.writeText(`${chunk.length.toString(16)}\r\n`)
      this.connection.writeBytes(chunk)
      this.connection.writeBytes(CRLF, done)
      this.connection.uncork()
    })
  }

  end(): void {
    if (this.closed) return
    if (this.chunked) this.connection.writeText('0\r\n\r\n')
    this.finish(true)
  }

  abort(): void {
    if (this.over) return
    this.closed = true
    this.connection.destroy()
    this.finish(false)
  }

  clientLeft(): void {
    this.closed = true
    this.finish(false)
  }

  private startOf(head: ReplyHead, chunked: boolean): string {
    this.status = head.status
    return formatReplyStart(head, this.server.date(), chunked, this.close || this.server.draining)
  }

  private finish(complete: boolean): void {
    if (this.over) return
    this.over = true
    const onFinish = this.onFinish
    this.onFinish = null
    onFinish?.(complete)
    this.connection.finished(this.close || this.server.draining)
  }
}

const CRLF = Buffer.from('\r\n', 'latin1')
