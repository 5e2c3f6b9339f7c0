// One client's TCP connection: queries with their length before them, as many as it sends ahead (RFC 7766 §6.2.1.1),
// each answered in the order in which it came, when the listener gives it a turn. Owns the socket.
import type { Socket } from 'node:net'
import type { IpAddress } from '../../../src/net/ip.ts'
import { MESSAGE_BYTES_MAX, QUERY_BYTES_MAX, TCP_UNREAD_BYTES_MAX, TCP_UNSENT_BYTES_MAX } from '../limits.ts'
import { readU16, writeU16 } from '../message/octets.ts'
import type { Responding } from '../responder.ts'

const LENGTH_BYTES = 2
const NOTHING = Buffer.alloc(0)

/** Replies of a turn with their lengths before them, for one write; behind GATHERED_BYTES there is room for another. */
const GATHERED_BYTES = 16 * 1024
const out = Buffer.allocUnsafeSlow(GATHERED_BYTES + LENGTH_BYTES + MESSAGE_BYTES_MAX)

export interface TcpConnectionOptions {
  readonly socket: Socket
  readonly peer: IpAddress
  readonly responder: Responding
  /** A query of it waits for its turn. */
  readonly onReady: (connection: TcpConnection) => void
  /** One was answered. */
  readonly onAnswered: (connection: TcpConnection) => void
}

export class TcpConnection {
  /** When its last query was answered; before the first, when it came. */
  queriedAtMs = 0
  readonly #options: TcpConnectionOptions
  #unread: Buffer = NOTHING
  /** Its client sends no more. */
  #isEnded = false

  constructor(options: TcpConnectionOptions) {
    this.#options = options
    const { socket } = options
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('end', () => {
      this.#isEnded = true
      this.#look()
    })
    socket.on('drain', () => this.#look())
    socket.on('error', () => socket.destroy())
  }

  close(): void {
    this.#options.socket.destroy()
  }

  /** Answers what waits, so many queries at most, and gives how many there were. */
  answer(queriesMax: number): number {
    const { peer, responder, onAnswered } = this.#options
    let queries = 0
    let end = 0
    while (queries < queriesMax && end <= GATHERED_BYTES) {
      const query = this.#take()
      if (query === undefined) break
      queries += 1
      const length = responder.respond(query, query.length, peer, 'tcp', out.subarray(end + LENGTH_BYTES))
      if (length === 0) continue
      writeU16(out, end, length)
      end += LENGTH_BYTES + length
    }
    if (end > 0) {
      this.#options.socket.write(Buffer.from(out.subarray(0, end)))
      onAnswered(this)
    }
    this.#look()
    return queries
  }

  #read(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes])
    this.#look()
  }

  /** Asks for a turn, for more octets or for an end; while its replies are left unread, for nothing. */
  #look(): void {
    const { socket, onReady } = this.#options
    const end = this.#endOfNext()
    if (end > LENGTH_BYTES + QUERY_BYTES_MAX) this.close()
    if (socket.destroyed) return
    if (this.#unread.length > TCP_UNREAD_BYTES_MAX) socket.pause()
    else if (socket.isPaused()) socket.resume()
    if (socket.writableLength > TCP_UNSENT_BYTES_MAX) return
    if (end > 0 && end <= this.#unread.length) onReady(this)
    else if (this.#isEnded) socket.end()
  }

  /** Where the next query ends, whether it is there or not; 0 while not even its length is. */
  #endOfNext(): number {
    return this.#unread.length < LENGTH_BYTES ? 0 : LENGTH_BYTES + readU16(this.#unread, 0)
  }

  /** The next query that has come whole, unless it is longer than any may be. */
  #take(): Buffer | undefined {
    const end = this.#endOfNext()
    if (end === 0 || end > this.#unread.length || end > LENGTH_BYTES + QUERY_BYTES_MAX) return undefined
    const query = this.#unread.subarray(LENGTH_BYTES, end)
    this.#unread = this.#unread.subarray(end)
    return query
  }
}
