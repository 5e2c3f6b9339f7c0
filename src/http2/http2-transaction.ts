// One request and its reply on a stream of HTTP/2: what the flow sees of both.
import { constants } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { FieldPairs } from '../http/fields.ts'
import type { HttpReply, HttpRequest, ReplyHead, Transaction } from '../http/transaction.ts'
import { writeTimeoutMs } from '../http1/limits.ts'
import type { Http2Connection } from './http2-connection.ts'
import { PIECE_BYTES_MAX, REQUEST_TIMEOUT_MS } from './limits.ts'
import { replyFields, withoutConnection } from './reply-fields.ts'
import { bodyOf } from './request-body.ts'
import { findField, readRequest } from './request-fields.ts'
import type { Http2Fault } from './request-fields.ts'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants

export class Http2Transaction implements Transaction, HttpRequest, HttpReply {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly version = '2'
  readonly secure = true
  readonly remoteAddress: string
  readonly fault: Http2Fault | null
  bodyBytes = 0
  status = 0
  onFinish: ((complete: boolean) => void) | null = null
  private readonly connection: Http2Connection
  private readonly stream: ServerHttp2Stream
  private readonly received: FieldPairs
  private requestBody: Readable | null = null
  /** The whole reply was taken. */
  private sent = false
  private closing = false
  private over = false
  /** Who waits for a write. A stream that is destroyed may drop its callbacks. */
  private whenClosed: ((taken: boolean) => void) | null = null
  /** By when the client must have sent its body. */
  private requestDeadlineMs: number
  /** By when it must have taken what was written last. */
  private writeDeadlineMs = Number.POSITIVE_INFINITY
  private writtenMs = 0

  constructor(connection: Http2Connection, stream: ServerHttp2Stream, received: readonly string[]) {
    this.connection = connection
    this.stream = stream
    const request = readRequest(received)
    this.method = request.method
    this.target = request.target
    this.host = request.host
    this.received = request.fields
    this.fault = request.fault
    this.remoteAddress = connection.remoteAddress
    this.requestDeadlineMs = stream.endAfterHeaders
      ? Number.POSITIVE_INFINITY
      : connection.host.monotonic() + REQUEST_TIMEOUT_MS
    stream.on('error', () => {})
    stream.once('close', () => this.closeOf())
  }

  get request(): HttpRequest {
    return this
  }

  get reply(): HttpReply {
    return this
  }

  get closed(): boolean {
    return this.over || this.stream.closed || this.stream.destroyed
  }

  header(lowerName: string): string | undefined {
    return findField(this.received, lowerName)
  }

  fields(): FieldPairs {
    return this.received
  }

  /** Asking for it lets a client go on that waits for 100 (Continue). */
  get body(): Readable | null {
    if (this.stream.endAfterHeaders) return null
    if (this.requestBody === null) {
      if (this.header('expect') !== undefined) this.interim(100, [])
      this.requestBody = bodyOf(this.stream)
    }
    return this.requestBody
  }

  interim(status: number, fields: FieldPairs): void {
    if (this.closed || this.status !== 0) return
    const headers: Record<string, string | number | string[]> = { ':status': status }
    const pairs = withoutConnection(fields)
    for (let i = 0; i < pairs.length; i += 2) {
      const name = pairs[i]?.toLowerCase() ?? ''
      const before = headers[name]
      const value = pairs[i + 1] ?? ''
      headers[name] = before === undefined ? value : [before, value].flat().map(String)
    }
    this.stream.additionalHeaders(headers)
  }

  send(head: ReplyHead, body: Uint8Array | null): void {
    if (this.closed) return
    this.status = head.status
    if (body === null || body.length === 0 || this.method === 'HEAD') {
      this.respond(head, true)
      this.end()
      return
    }
    this.bodyBytes = body.length
    this.respond(head, false)
    if (body.length <= PIECE_BYTES_MAX) {
      this.mustTake(body.length)
      this.stream.end(body, () => this.ended())
    } else {
      this.writePieces(body, 0, (taken) => void (taken && this.end()))
    }
  }

  start(head: ReplyHead): void {
    if (this.closed) return
    this.status = head.status
    this.respond(head, false)
  }

  write(chunk: Uint8Array): Promise<boolean> {
    if (this.closed) return Promise.resolve(false)
    this.bodyBytes += chunk.length
    return new Promise((resolve) => this.writePieces(chunk, 0, resolve))
  }

  end(): void {
    if (this.stream.destroyed) return
    this.mustTake(0)
    this.stream.end(() => this.ended())
  }

  abort(): void {
    this.reset(NGHTTP2_INTERNAL_ERROR)
  }

  /** Called by the server's one timer. */
  checkDeadline(nowMs: number): void {
    if (nowMs < Math.min(this.requestDeadlineMs, this.writeDeadlineMs)) return
    const isThere = this.connection.takenMs > this.writtenMs
    // A client that takes nothing on any stream is not there; one that leaves this stream alone may be.
    if (nowMs >= this.writeDeadlineMs && !isThere) this.connection.destroy()
    else if (this.closing) this.mustTake(0)
    else this.reset(NGHTTP2_CANCEL)
  }

  private respond(head: ReplyHead, endStream: boolean): void {
    this.stream.respond(replyFields(head, this.connection.host), { endStream })
  }

  private writePieces(chunk: Uint8Array, at: number, done: (taken: boolean) => void): void {
    const end = Math.min(at + PIECE_BYTES_MAX, chunk.length)
    this.mustTake(end - at)
    this.whenClosed = done
    this.stream.write(chunk.subarray(at, end), (error) => {
      if (this.whenClosed !== done) return
      const taken = error === undefined || error === null
      this.whenClosed = null
      this.taken()
      if (!taken || end === chunk.length) done(taken)
      else this.writePieces(chunk, end, done)
    })
  }

  private mustTake(bytes: number): void {
    this.writtenMs = this.connection.host.monotonic()
    this.writeDeadlineMs = this.writtenMs + writeTimeoutMs(bytes)
  }

  private taken(): void {
    this.writeDeadlineMs = Number.POSITIVE_INFINITY
    this.connection.takenMs = this.connection.host.monotonic()
  }

  /** All is with node:http2; what is left is that it leaves, and the stream closes. */
  private ended(): void {
    this.taken()
    this.mustTake(0)
    this.closing = true
    this.sent = !this.stream.destroyed && this.stream.rstCode === NGHTTP2_NO_ERROR
    // RFC 9113 §8.1: the answer does not depend on the rest of the body, which nobody here wants any more.
    if (!this.stream.endAfterHeaders && !this.stream.readableEnded) this.stream.close(NGHTTP2_NO_ERROR)
  }

  private reset(code: number): void {
    this.requestDeadlineMs = Number.POSITIVE_INFINITY
    this.mustTake(0)
    this.closing = true
    this.stream.close(code)
    this.finish(false)
  }

  private closeOf(): void {
    this.writeDeadlineMs = Number.POSITIVE_INFINITY
    this.requestDeadlineMs = Number.POSITIVE_INFINITY
    const { whenClosed } = this
    this.whenClosed = null
    whenClosed?.(false)
    this.finish(this.sent)
    this.connection.left(this)
  }

  private finish(complete: boolean): void {
    if (this.over) return
    this.over = true
    const onFinish = this.onFinish
    this.onFinish = null
    onFinish?.(complete)
  }
}
