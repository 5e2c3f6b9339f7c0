// One client connection of the bodiless server: reads heads, runs one request at a time through the flow,
// writes its reply, and watches the deadlines. Owns the socket until it is closed or handed over.
import type { Socket } from 'node:net'
import type { FieldBlock } from '../http/fields.ts'
import type { ReplyHead, TransactionHandler } from '../http/transaction.ts'
import { HeadParser } from './head-parser.ts'
import { Http1Transaction } from './http1-transaction.ts'
import {
  HEAD_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  PIPELINE_BYTES_MAX,
  WRITE_TIMEOUT_MS,
  writeTimeoutMs,
} from './limits.ts'
import type { QuickHandler, QuickReply } from './quick.ts'
import type { ReplyBytes } from './reply-bytes.ts'
import type { ReplyTarget, ReplyTurn } from './reply-turn.ts'
import { isShared } from './shared-read.ts'

export interface ConnectionHost {
  readonly handler: TransactionHandler
  /** Asked first, where there is one. */
  readonly quick: QuickHandler | null
  readonly secure: boolean
  /** Text of the Date field. */
  readonly date: () => string
  /** Fields of every reply. */
  readonly always: FieldBlock
  readonly monotonic: () => number
  /** When deadlines were looked at last, about a second ago at most: near enough for the end of an idle connection. */
  readonly sweptMs: number
  readonly replies: ReplyBytes
  readonly turn: ReplyTurn
  /** True once the server drains: each reply then closes its connection. */
  readonly draining: boolean
  /** `socket` is paused, and nobody listens to it. */
  handOver(socket: Socket, unread: Buffer): void
  closed(connection: Http1Connection): void
}

type State = 'head' | 'idle' | 'busy' | 'over' | 'handed-over'

export class Http1Connection implements ReplyTarget, QuickReply {
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
  /** Replies of this turn that are not written yet. */
  private waiting = 0
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
    return this.state === 'busy' || this.waiting > 0 || this.socket.writableLength > 0
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
      this.settleTurn()
      this.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      this.over()
    }
  }

  /** Closes at once when nothing is being answered, else after the reply. */
  drain(): void {
    if (!this.busy) this.socket.end()
  }

  destroy(): void {
    this.settleTurn()
    this.socket.destroy()
  }

  /** Bytes from the client; a shared buffer is the caller's again afterwards. */
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
    if (this.clientEnded && this.unread === null && this.state !== 'busy') this.end()
  }

  private end(): void {
    this.settleTurn()
    this.socket.end()
  }

  private next(unread: Buffer): boolean {
    const outcome = this.parser.parse(unread, 0, this.scanned)
    if (outcome === 'incomplete') {
      if (this.state === 'idle') this.deadlineMs = this.host.monotonic() + HEAD_TIMEOUT_MS
      this.state = 'head'
      this.scanned = unread.length
      if (this.clientEnded) this.end()
      return false
    }
    if (outcome === 'hand-over') {
      this.handOver(unread)
      return false
    }
    this.scanned = 0
    if (this.isAnsweredQuickly(unread)) return true
    this.unread = this.parser.end < unread.length ? unread.subarray(this.parser.end) : null
    this.state = 'busy'
    this.deadlineMs = Number.POSITIVE_INFINITY
    this.current = new Http1Transaction(this, this.parser, this.host)
    this.host.handler(this.current)
    return true
  }

  /** A head that stands alone in what was read, as nearly all do. */
  private isAnsweredQuickly(unread: Buffer): boolean {
    const { quick, secure, draining } = this.host
    if (quick === null || secure || draining || this.parser.close) return false
    if (this.parser.end < unread.length || !quick(this.parser, this.remoteAddress, this)) return false
    this.unread = null
    this.state = 'idle'
    this.deadlineMs = this.host.sweptMs + IDLE_TIMEOUT_MS
    return true
  }

  private handOver(unread: Buffer): void {
    if (this.clientEnded) {
      // A stream that has ended takes nothing back. Only a pipelining client that closed its side meets this.
      this.end()
      this.over()
      return
    }
    this.settleTurn()
    this.state = 'handed-over'
    this.socket.pause()
    this.socket.off('data', this.read)
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
      this.end()
      this.over()
      return
    }
    this.state = 'idle'
    this.deadlineMs = this.host.monotonic() + IDLE_TIMEOUT_MS
    if (this.unread !== null || this.clientEnded) this.advance()
  }

  /** A small reply, whole: it leaves when the turn ends. */
  sendInTurn(start: string, head: ReplyHead, body: Uint8Array | null): void {
    this.waiting += 1
    this.host.turn.add(this, start, head, body)
  }

  /** Of a whole small reply: it leaves when the turn ends. */
  reserve(length: number): Buffer {
    this.waiting += 1
    return this.host.turn.reserve(this, length)
  }

  writeReply(bytes: Buffer): boolean {
    this.waiting -= 1
    if (this.socket.destroyed) return true
    this.socket.write(bytes)
    this.written()
    return this.unsent === 0
  }

  /** What comes next must not overtake what waits. */
  private settleTurn(): void {
    if (this.waiting > 0) this.host.turn.flush()
  }

  writeText(text: string): void {
    this.settleTurn()
    this.socket.write(text, 'latin1')
    this.written()
  }

  writeBytes(bytes: Uint8Array, done?: (error?: Error | null) => void): void {
    this.settleTurn()
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
    this.settleTurn()
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
