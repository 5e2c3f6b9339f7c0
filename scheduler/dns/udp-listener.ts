// DNS over UDP on one address: each packet is answered in the turn that brought it, and the replies of a turn leave
// together at its end, since each that leaves may wake its client (docs/decisions/0015-replies-of-a-turn.md). Owns the
// socket.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { ListenAddress } from '../../src/config/values.ts'
import { listenError } from '../../src/net/listen.ts'
import { parseIp } from '../../src/net/ip.ts'
import { UDP_RECEIVE_BYTES, UDP_REPLY_BYTES_MAX, UDP_TURN_REPLIES, UDP_UNSENT_MAX } from './limits.ts'
import type { DnsMetrics } from './metrics.ts'
import type { Responding } from './responder.ts'

export interface UdpListenerOptions {
  readonly responder: Responding
  readonly metrics: DnsMetrics
  readonly reusePort: boolean
  readonly ipv6Only: boolean
}

export class UdpListener {
  readonly #socket: Socket
  readonly #responder: Responding
  readonly #metrics: DnsMetrics
  /** Places for the replies of a turn, used again when the kernel has taken them. */
  #places = newPlaces()
  /** Whom the replies are for that wait, in the order of their places. */
  readonly #waiting: RemoteInfo[] = []
  /** Replies that the kernel had not taken when it was last asked. */
  #unsent = 0
  readonly #flushAtEnd = (): void => this.#flush()
  #isClosed = false

  constructor({ host }: ListenAddress, { responder, metrics, reusePort, ipv6Only }: UdpListenerOptions) {
    this.#responder = responder
    this.#metrics = metrics
    const family = isIPv6(host) ? 6 : 4
    this.#socket = createSocket({
      type: `udp${family}`,
      reusePort,
      // Refused of a socket for IPv4.
      ipv6Only: ipv6Only && family === 6,
      recvBufferSize: UDP_RECEIVE_BYTES,
      // Replies go to addresses alone, and at once: Node's own lookup would wait a turn for each.
      lookup: (address, _options, done) => done(null, address, family),
    })
    this.#socket.on('message', (packet, from) => this.#reply(packet, from))
  }

  /** Gives the port. `setting` is the key that moves the listener. */
  async listen({ host, port }: ListenAddress, setting: string): Promise<number> {
    try {
      // With a lookup that does not wait it listens before bind is over.
      const listening = once(this.#socket, 'listening')
      this.#socket.bind({ address: host, port })
      await listening
    } catch (error) {
      throw listenError({ host, port }, setting, error)
    }
    // What goes wrong with one reply is nothing to the next; a client may have gone.
    this.#socket.on('error', () => this.#metrics.noReply('not-sent'))
    return this.#socket.address().port
  }

  async close(): Promise<void> {
    this.#flush()
    this.#isClosed = true
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #reply(packet: Buffer, from: RemoteInfo): void {
    const peer = parseIp(from.address)
    // Port 0 is nobody's.
    if (peer === undefined || from.port === 0) return
    if (this.#unsent > 0) this.#unsent = this.#socket.getSendQueueCount()
    if (this.#unsent > UDP_UNSENT_MAX) {
      this.#metrics.noReply('not-sent')
      return
    }
    const place = this.#places[this.#waiting.length]
    assert(place !== undefined, 'a full turn was sent')
    const length = this.#responder.respond(packet, packet.length, peer, 'udp', place.out)
    if (length === 0) return
    if (this.#waiting.length === 0) setImmediate(this.#flushAtEnd)
    // Many replies are as long as that before them, and a view is dear to make.
    if (place.reply.length !== length) place.reply = place.out.subarray(0, length)
    this.#waiting.push(from)
    if (this.#waiting.length === UDP_TURN_REPLIES) this.#flush()
  }

  #flush(): void {
    if (this.#isClosed) return
    for (let i = 0; i < this.#waiting.length; i += 1) {
      const to = this.#waiting[i]
      const place = this.#places[i]
      if (to !== undefined && place !== undefined) this.#socket.send(place.reply, to.port, to.address)
    }
    this.#waiting.length = 0
    this.#unsent = this.#socket.getSendQueueCount()
    // Mostly the kernel takes them at once, and their places are free again.
    if (this.#unsent > 0) this.#places = newPlaces()
  }
}

interface ReplyPlace {
  readonly out: Buffer
  /** Its front, which the reply takes. */
  reply: Buffer
}

function newPlaces(): readonly ReplyPlace[] {
  const space = Buffer.allocUnsafeSlow(UDP_TURN_REPLIES * UDP_REPLY_BYTES_MAX)
  return Array.from({ length: UDP_TURN_REPLIES }, (_, i) => {
    const out = space.subarray(i * UDP_REPLY_BYTES_MAX, (i + 1) * UDP_REPLY_BYTES_MAX)
    return { out, reply: out }
  })
}
