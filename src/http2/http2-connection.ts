// One client connection of HTTP/2: hands each of its streams to the flow, and watches the deadlines of the connection.
// node:http2 (nghttp2) reads and writes the frames, and holds the client to the bounds in limits.ts.
import { constants, performServerHandshake } from 'node:http2'
import type { ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { NO_FIELDS } from '../http/fields.ts'
import type { FieldBlock } from '../http/fields.ts'
import type { TransactionHandler } from '../http/transaction.ts'
import { Http2Transaction } from './http2-transaction.ts'
import {
  CLOSE_TIMEOUT_MS,
  FIRST_REQUEST_TIMEOUT_MS,
  HEADER_LIST_BYTES_MAX,
  HEADER_PAIRS_MAX,
  INVALID_FRAMES_MAX,
  REJECTED_STREAMS_MAX,
  RESETS_PER_SECOND,
  RESET_BURST,
  SESSION_IDLE_TIMEOUT_MS,
  SESSION_MEGABYTES_MAX,
  SETTINGS_MAX,
  STREAMS_MAX,
} from './limits.ts'
import type { Http2Fault } from './request-fields.ts'

export interface Http2Host {
  readonly handler: TransactionHandler
  /** Text of the Date field. */
  readonly date: () => string
  readonly monotonic: () => number
  /** Fields of every reply. */
  readonly always: FieldBlock
  closed(connection: Http2Connection): void
}

const SESSION_OPTIONS = {
  maxSettings: SETTINGS_MAX,
  maxHeaderListPairs: HEADER_PAIRS_MAX,
  maxSessionInvalidFrames: INVALID_FRAMES_MAX,
  maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
  maxSessionMemory: SESSION_MEGABYTES_MAX,
  streamResetBurst: RESET_BURST,
  streamResetRate: RESETS_PER_SECOND,
  // An origin that sends a field twice has its answer passed on, as over HTTP/1.1.
  strictSingleValueFields: false,
  settings: {
    enablePush: false,
    maxConcurrentStreams: STREAMS_MAX,
    maxHeaderListSize: HEADER_LIST_BYTES_MAX,
  },
}

export class Http2Connection {
  readonly host: Http2Host
  readonly remoteAddress: string
  /** When the client last took something that was written to it. */
  takenMs: number
  private readonly session: ServerHttp2Session
  private readonly running = new Set<Http2Transaction>()
  private asked = false
  /** For as long as nothing runs. */
  private deadlineMs: number

  constructor(socket: TLSSocket, host: Http2Host) {
    this.host = host
    this.remoteAddress = socket.remoteAddress ?? ''
    this.takenMs = host.monotonic()
    this.deadlineMs = this.takenMs + FIRST_REQUEST_TIMEOUT_MS
    this.session = performServerHandshake(socket, SESSION_OPTIONS)
    // With 'close' behind it; which side was at fault, and how, is the client's to know.
    this.session.on('error', () => {})
    this.session.once('close', () => host.closed(this))
    this.session.on('stream', (stream, _headers, _flags, received) => {
      // The head comes a tick late: the client may have left meanwhile.
      if (stream.destroyed) return
      this.asked = true
      const transaction = new Http2Transaction(this, stream, received)
      this.running.add(transaction)
      if (transaction.fault === null) host.handler(transaction)
      else refuse(transaction, transaction.fault)
    })
  }

  /** Called by the server's one timer. */
  checkDeadline(nowMs: number): void {
    for (const transaction of this.running) transaction.checkDeadline(nowMs)
    if (this.running.size > 0 || nowMs < this.deadlineMs) return
    if (this.session.closed || !this.asked) {
      this.destroy()
      return
    }
    this.deadlineMs = nowMs + CLOSE_TIMEOUT_MS
    this.drain()
  }

  left(transaction: Http2Transaction): void {
    this.running.delete(transaction)
    if (this.running.size === 0) this.deadlineMs = this.host.monotonic() + SESSION_IDLE_TIMEOUT_MS
  }

  /** GOAWAY: what runs is finished, then the connection ends. */
  drain(): void {
    if (!this.session.closed) this.session.close()
  }

  destroy(): void {
    // Not for no reason: what was under way must not look as if it were whole.
    this.session.destroy(undefined, constants.NGHTTP2_CANCEL)
  }
}

const FAULT_TEXT: Record<Http2Fault, string> = {
  'head-too-large': 'head is too large\n',
  'bad-method': 'method not understood\n',
  'bad-scheme': 'https is spoken here\n',
  'bad-authority': 'no host that could be one\n',
  'authority-conflict': 'more than one host\n',
  'bad-target': 'request target not understood\n',
}

function refuse(transaction: Http2Transaction, fault: Http2Fault): void {
  const body = Buffer.from(FAULT_TEXT[fault])
  const extra = ['Content-Type', 'text/plain; charset=utf-8']
  const status = fault === 'head-too-large' ? 431 : 400
  transaction.send({ status, fields: NO_FIELDS, extra, length: body.length }, body)
}
