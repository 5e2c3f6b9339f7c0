// One request and its reply on a connection of the bodiless server: what the flow sees of both.
import { serialiseFields } from '../http/fields.ts'
import type { FieldPairs } from '../http/fields.ts'
import type { HttpReply, HttpRequest, ReplyHead, Transaction } from '../http/transaction.ts'
import type { ConnectionHost, Http1Connection } from './connection.ts'
import type { HeadParser } from './head-parser.ts'
import { SMALL_BODY_BYTES } from './limits.ts'
import { headBytes } from './reply-bytes.ts'
import { formatReplyStart, isBodiless, statusLine } from './reply-head.ts'

const CRLF = Buffer.from('\r\n', 'latin1')

/** Request fields hold until the reply is over. */
export class Http1Transaction implements Transaction, HttpRequest, HttpReply {
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
    if (body === null || body.length <= SMALL_BODY_BYTES) this.sendLent(start, head, body, null)
    else this.sendLent(start, head, null, body)
    this.bodyBytes = body?.length ?? 0
    this.finish(true)
  }

  /** `small` leaves in the same bytes as the head, `large` behind them. */
  private sendLent(start: string, head: ReplyHead, small: Uint8Array | null, large: Uint8Array | null): void {
    const { connection } = this
    if (large === null && !this.secure) {
      connection.sendInTurn(start, head, small)
      return
    }
    const { replies } = this.server
    const composed = replies.compose(start, head, small)
    // A write through TLS is never over at once, but soon: its space is worth having back.
    let late = false
    const done = this.secure ? () => void (late && replies.giveBack(composed)) : undefined
    if (large === null) {
      connection.writeBytes(composed, done)
    } else if (this.secure) {
      // Several buffers written together are copied into one before they are encrypted: for 2 MiB a twentieth of all.
      connection.writeBytes(composed, done)
      connection.writeBytes(large)
    } else {
      connection.cork()
      connection.writeBytes(composed)
      connection.writeBytes(large)
      connection.uncork()
    }
    late = connection.unsent > 0
    replies.settle(!late)
  }

  start(head: ReplyHead): void {
    if (this.closed) return
    this.chunked = head.length === null && !isBodiless(head.status) && this.method !== 'HEAD'
    const bytes = headBytes(this.startOf(head, this.chunked), head)
    if (this.secure) {
      this.connection.writeBytes(bytes)
      return
    }
    this.connection.cork()
    this.connection.writeBytes(bytes)
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
    return formatReplyStart(head, this.server, chunked, this.close || this.server.draining)
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
