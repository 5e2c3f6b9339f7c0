// DNS over UDP on one address: each packet is answered in the turn that brought it. Node brings one, and what waits behind
// it is taken and answered with it, many a call (docs/decisions/0025-many-packets-a-call.md). Where that cannot be had, it
// brings all of them, and replies leave at the turn's end, since each that leaves may wake its client
// (docs/decisions/0015-replies-of-a-turn.md). Owns the socket.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { ListenAddress } from '../../../src/config/values.ts'
import { listenError } from '../../../src/net/listen.ts'
import { formatIp, parseIp } from '../../../src/net/ip.ts'
import type { IpAddress } from '../../../src/net/ip.ts'
import {
  QUERY_BYTES_MAX,
  UDP_RECEIVE_BYTES,
  UDP_REPLY_BYTES_MAX,
  UDP_TURN_PACKETS,
  UDP_TURN_REPLIES,
  UDP_UNSENT_MAX,
} from '../limits.ts'
import type { DnsMetrics } from '../metrics.ts'
import type { Responding } from '../responder.ts'
import { bindUdp, keepPort } from './c-library.ts'
import type { CLibrary } from './c-library.ts'
import { UdpBatch } from './udp-batch.ts'
import type { CamePacket } from './udp-batch.ts'

export interface UdpListenerOptions {
  readonly responder: Responding
  readonly metrics: DnsMetrics
  readonly reusePort: boolean
  readonly ipv6Only: boolean
  /** undefined: packets come and go one a call. */
  readonly library: CLibrary | undefined
}

export class UdpListener {
  readonly #options: UdpListenerOptions
  readonly #family: 4 | 6
  readonly #socket: Socket
  #batch: UdpBatch | null = null
  readonly #responder: Responding
  readonly #metrics: DnsMetrics
  /** Places for the replies of a turn, used again when the kernel has taken them. */
  #places = newPlaces()
  /** Whom the replies are for that wait, in the order of their places. */
  readonly #waiting: RemoteInfo[] = []
  /** Replies that the kernel had not taken when it was last asked. */
  #unsent = 0
  readonly #endTurn = (): void => {
    this.#isInTurn = false
    this.#flush()
  }
  /** Something came in this turn of the event loop. */
  #isInTurn = false
  /** Of those that wait in the kernel so many may be taken in this turn. */
  #waitingMax = 0
  #isClosed = false

  constructor({ host }: ListenAddress, options: UdpListenerOptions) {
    const { responder, metrics, reusePort, ipv6Only } = options
    this.#options = options
    this.#responder = responder
    this.#metrics = metrics
    const family = isIPv6(host) ? 6 : 4
    this.#family = family
    this.#socket = createSocket({
      type: `udp${family}`,
      reusePort,
      // Refused of a socket for IPv4.
      ipv6Only: ipv6Only && family === 6,
      recvBufferSize: UDP_RECEIVE_BYTES,
      // Replies go to addresses alone, and at once: Node's own lookup would wait a turn for each.
      lookup: (address, _options, done) => done(null, address, family),
    })
    this.#socket.on('message', (packet, from) => this.#take(packet, from))
  }

  /** Packets come and go many a call. */
  get isBatching(): boolean {
    return this.#batch !== null
  }

  /** Gives the port. `setting` is the key that moves the listener. */
  async listen(address: ListenAddress, setting: string): Promise<number> {
    const { library } = this.#options
    const fd = library === undefined ? undefined : bindUdp(library, address, this.#options)
    try {
      // With a lookup that does not wait it listens before bind is over.
      const listening = once(this.#socket, 'listening')
      this.#socket.bind(fd === undefined ? { address: address.host, port: address.port } : { fd })
      if (library !== undefined && fd !== undefined) {
        keepPort(library, fd)
        this.#batch = new UdpBatch(library, fd, this.#family, this.#queue)
      }
      await listening
    } catch (error) {
      throw listenError(address, setting, error)
    }
    // What goes wrong with one reply is nothing to the next; a client may have gone.
    this.#socket.on('error', this.#afterSend)
    return this.#socket.address().port
  }

  async close(): Promise<void> {
    this.#flush()
    this.#isClosed = true
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #take(packet: Buffer, from: RemoteInfo): void {
    if (!this.#isInTurn) {
      this.#isInTurn = true
      this.#waitingMax = UDP_TURN_PACKETS
      setImmediate(this.#endTurn)
    }
    const peer = parseIp(from.address)
    // Port 0 is nobody's.
    if (peer === undefined || from.port === 0) return
    // The number of a zone only the system knows.
    if (this.#batch === null || from.address.includes('%')) this.#reply(packet, from, peer)
    else this.#exchange(this.#batch, { packet, peer, port: from.port })
  }

  /** With what waits behind it: no more in all than a turn has, so that whatever else the process does has its part. */
  #exchange(batch: UdpBatch, came: CamePacket): void {
    let waited = batch.exchange(this.#answer, this.#waitingMax, came)
    while (waited > 0) {
      this.#metrics.batched(waited)
      this.#waitingMax -= waited
      waited = batch.exchange(this.#answer, this.#waitingMax)
    }
  }

  readonly #afterSend = (error: Error | null): void => {
    if (error !== null) this.#metrics.noReply('not-sent')
  }

  readonly #answer = (packet: Buffer, length: number, peer: IpAddress, out: Buffer): number => {
    if (length <= QUERY_BYTES_MAX) return this.#responder.respond(packet, length, peer, 'udp', out)
    this.#metrics.noReply('no-query')
    return 0
  }

  /** Node sends it when the kernel has room, or learns that it cannot be sent. */
  readonly #queue = (reply: Buffer, port: number, peer: IpAddress): void => {
    if (!this.#hasRoom()) return this.#metrics.noReply('not-sent')
    const address = formatIp(peer)
    // To a socket of IPv6 a peer of IPv4 is a mapped address.
    this.#send(reply, port, peer.family === this.#family ? address : `::ffff:${address}`)
    this.#unsent = this.#socket.getSendQueueCount()
  }

  /** For one more that the kernel does not take at once. */
  #hasRoom(): boolean {
    if (this.#unsent > 0) this.#unsent = this.#socket.getSendQueueCount()
    return this.#unsent <= UDP_UNSENT_MAX
  }

  #send(reply: Buffer, port: number, address: string): void {
    this.#socket.send(reply, port, address, this.#afterSend)
  }

  /** At the turn's end, or when a lot of them is full. */
  #reply(packet: Buffer, from: RemoteInfo, peer: IpAddress): void {
    if (!this.#hasRoom()) return this.#metrics.noReply('not-sent')
    const place = this.#places[this.#waiting.length]
    assert(place !== undefined, 'a full turn was sent')
    const length = this.#answer(packet, packet.length, peer, place.out)
    if (length === 0) return
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
      if (to !== undefined && place !== undefined) this.#send(place.reply, to.port, to.address)
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
