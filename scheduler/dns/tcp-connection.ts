// One client's TCP connection: queries with their length before them, as many as it sends ahead (RFC 7766 §6.2.1.1),
// each answered in the order in which it came. Owns the socket.
import type { Socket } from 'node:net'
import type { IpAddress } from '../../src/net/ip.ts'
import { MESSAGE_BYTES_MAX, TCP_QUERY_BYTES_MAX, TCP_UNSENT_BYTES_MAX } from './limits.ts'
import { readU16, writeU16 } from './message/octets.ts'
import type { DnsResponder } from './responder.ts'

const LENGTH_BYTES = 2

/** A reply with its length before it; copied from here, as the next one is written before the kernel takes it. */
const out = Buffer.allocUnsafeSlow(LENGTH_BYTES + MESSAGE_BYTES_MAX)
const message = out.subarray(LENGTH_BYTES)

export class TcpConnection {
  /** When its last query came; before the first, when it did. */
  queriedAtMs = 0
  readonly #socket: Socket
  readonly #peer: IpAddress
  readonly #responder: DnsResponder
  readonly #onQuery: () => void
  /** Of a query that has not come whole. */
  #unread: Buffer | null = null

  constructor(socket: Socket, peer: IpAddress, responder: DnsResponder, onQuery: () => void) {
    this.#socket = socket
    this.#peer = peer
    this.#responder = responder
    this.#onQuery = onQuery
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('drain', () => this.#goOn())
    socket.on('error', () => socket.destroy())
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    this.#unread = this.#unread === null ? bytes : Buffer.concat([this.#unread, bytes])
    this.#goOn()
  }

  /** Answers what is there, unless the client leaves too many replies unread: then it is read no further. */
  #goOn(): void {
    let left = this.#unread ?? Buffer.alloc(0)
    while (left.length >= LENGTH_BYTES) {
      if (this.#socket.writableLength > TCP_UNSENT_BYTES_MAX) {
        this.#socket.pause()
        break
      }
      const length = readU16(left, 0)
      if (length > TCP_QUERY_BYTES_MAX) {
        this.close()
        return
      }
      if (left.length < LENGTH_BYTES + length) break
      this.#answer(left.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
      left = left.subarray(LENGTH_BYTES + length)
    }
    this.#unread = left.length === 0 ? null : left
    if (this.#socket.isPaused() && this.#socket.writableLength <= TCP_UNSENT_BYTES_MAX) this.#socket.resume()
  }

  #answer(query: Buffer): void {
    this.#onQuery()
    const length = this.#responder.respond(query, query.length, this.#peer, 'tcp', message)
    if (length === 0) return
    writeU16(out, 0, length)
    this.#socket.write(Buffer.from(out.subarray(0, LENGTH_BYTES + length)))
  }
}
