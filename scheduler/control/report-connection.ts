// One connection of an edge that reports: each report that stands there whole is taken and answered at once, with nothing
// made for it but its own text. What is anything else goes, with the connection and for good, to the service.
import type { Socket } from 'node:net'
import { REQUEST_MS } from '../../src/http-service.ts'
import { HeadParser } from '../../src/http1/head-parser.ts'
import { statusLine } from '../../src/http1/reply-head.ts'
import { REPORT_BYTES_MAX } from '../limits.ts'
import type { EdgeView, Topology } from '../topology.ts'
import { ConnectionKey } from './keys.ts'
import type { ReportAnswer, TakeReport } from './report-taker.ts'

export const REPORT_PATH = '/edge/v1/report'
/** Reports are JSON, and so are the replies. */
export const JSON_TYPE = 'application/json; charset=utf-8'
const TAKEN_TYPE = /^application\/json\b/i

/** For the first report of a connection. */
const FIRST_MS = 2 * REQUEST_MS
/** Between two. */
const IDLE_MS = 72_000
/** Replies that their edge has not read: beyond it the connection is cut. */
const UNREAD_BYTES_MAX = 64 * 1024

/** Names that a parser should keep out, or that could spell them: the service's knows how. */
const UNUSUAL = /__proto__|constructor|\\/

export interface ReportHost {
  readonly take: TakeReport
  /** Of now, with the edges and their keys. */
  readonly topology: () => Topology
  /** Text of the Date field. */
  readonly date: () => string
  readonly monotonic: () => number
  /** `socket` is paused, nobody listens to it, and what was read of it has been put back. */
  readonly handOver: (socket: Socket) => void
  readonly closed: (connection: ReportConnection) => void
}

export class ReportConnection {
  readonly #socket: Socket
  readonly #host: ReportHost
  readonly #peer: string
  readonly #parser = new HeadParser({ takesPosts: true })
  readonly #key = new ConnectionKey()
  #unread: Buffer | null = null
  /** How much of it was searched for the end of a head. */
  #scanned = 0
  /** Bytes that a report takes whose head was read; 0: it is not known yet. */
  #wanted = 0
  #deadlineMs: number

  constructor(socket: Socket, host: ReportHost) {
    this.#socket = socket
    this.#host = host
    this.#peer = socket.remoteAddress ?? ''
    this.#deadlineMs = host.monotonic() + FIRST_MS
    socket.on('data', this.#read)
    socket.on('end', this.#end)
    socket.on('error', this.#fail)
    socket.on('close', this.#close)
  }

  checkDeadline(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) this.#socket.destroy()
  }

  /** After what was written has left. */
  end(): void {
    this.#socket.destroySoon()
  }

  readonly #read = (bytes: Buffer): void => {
    if (this.#unread === null) this.#deadlineMs = this.#host.monotonic() + REQUEST_MS
    this.#unread = this.#unread === null ? bytes : Buffer.concat([this.#unread, bytes])
    while (this.#unread !== null && this.#unread.length >= this.#wanted && this.#answer(this.#unread)) {
      if (this.#socket.writableLength > UNREAD_BYTES_MAX) this.#socket.destroy()
      if (this.#socket.destroyed) return
    }
  }

  /** False: more must be read, or it is not for this connection to answer. */
  #answer(unread: Buffer): boolean {
    const parser = this.#parser
    const outcome = parser.parse(unread, 0, this.#scanned)
    if (outcome === 'incomplete') {
      this.#scanned = unread.length
      return false
    }
    if (outcome === 'hand-over' || !isReport(parser)) return this.#handOver(unread)
    const holders = this.#key.findHolders(this.#host.topology(), parser.header('authorization'))
    if (holders.length === 0) return this.#handOver(unread)
    const end = parser.end + parser.bodyLength
    if (unread.length < end) {
      this.#wanted = end
      return false
    }
    const answer = this.#take(unread.toString('utf8', parser.end, end), holders)
    if (answer === undefined) return this.#handOver(unread)
    this.#unread = end < unread.length ? unread.subarray(end) : null
    this.#scanned = 0
    this.#wanted = 0
    this.#deadlineMs = this.#host.monotonic() + (this.#unread === null ? IDLE_MS : REQUEST_MS)
    this.#reply(answer)
    return true
  }

  /** undefined: it is not JSON, may be more than data, or a fault was met in taking it, which the service tells of. */
  #take(text: string, holders: readonly EdgeView[]): ReportAnswer | undefined {
    if (UNUSUAL.test(text)) return undefined
    try {
      return this.#host.take(JSON.parse(text), holders, this.#peer)
    } catch {
      return undefined
    }
  }

  #reply({ status, text }: ReportAnswer): void {
    const fields = `Content-Type: ${JSON_TYPE}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`
    this.#socket.write(`${statusLine(status)}Date: ${this.#host.date()}\r\n${fields}\r\n${text}`)
  }

  #handOver(unread: Buffer): false {
    this.#forget()
    this.#socket.pause()
    this.#socket.unshift(unread)
    this.#host.handOver(this.#socket)
    return false
  }

  #forget(): void {
    this.#unread = null
    this.#socket.off('data', this.#read)
    this.#socket.off('end', this.#end)
    this.#socket.off('error', this.#fail)
    this.#socket.off('close', this.#close)
    this.#host.closed(this)
  }

  readonly #end = (): void => {
    this.#socket.destroySoon()
  }

  readonly #fail = (): void => {
    this.#socket.destroy()
  }

  readonly #close = (): void => this.#host.closed(this)
}

/** As edges send them. */
function isReport(head: HeadParser): boolean {
  if (head.method !== 'POST' || head.close || head.bodyLength > REPORT_BYTES_MAX) return false
  return head.target === REPORT_PATH && TAKEN_TYPE.test(head.header('content-type') ?? '')
}
