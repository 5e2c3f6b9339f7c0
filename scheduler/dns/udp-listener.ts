// DNS over UDP on one address: each packet is answered in the turn that brought it, from one buffer that every reply
// uses. Owns the socket.
import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { ListenAddress } from '../../src/config/values.ts'
import { listenError } from '../../src/net/listen.ts'
import { parseIp } from '../../src/net/ip.ts'
import { UDP_REPLY_BYTES_MAX, UDP_RECEIVE_BYTES, UDP_UNSENT_MAX } from './limits.ts'
import type { DnsMetrics } from './metrics.ts'
import type { DnsResponder } from './responder.ts'

export interface UdpListenerOptions {
  readonly responder: DnsResponder
  readonly metrics: DnsMetrics
  readonly reusePort: boolean
  readonly ipv6Only: boolean
}

export class UdpListener {
  readonly #socket: Socket
  readonly #responder: DnsResponder
  readonly #metrics: DnsMetrics
  #out: Buffer = Buffer.allocUnsafeSlow(UDP_REPLY_BYTES_MAX)

  constructor({ host }: ListenAddress, { responder, metrics, reusePort, ipv6Only }: UdpListenerOptions) {
    this.#responder = responder
    this.#metrics = metrics
    this.#socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      reusePort,
      // Refused of a socket for IPv4.
      ipv6Only: ipv6Only && isIPv6(host),
      recvBufferSize: UDP_RECEIVE_BYTES,
      // Replies go to addresses alone, and at once: Node's own lookup would wait a turn for each.
      lookup: (address, _options, done) => done(null, address, isIPv6(address) ? 6 : 4),
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
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #reply(packet: Buffer, { address, port }: RemoteInfo): void {
    const peer = parseIp(address)
    // Port 0 is nobody's.
    if (peer === undefined || port === 0) return
    if (this.#socket.getSendQueueCount() > UDP_UNSENT_MAX) {
      this.#metrics.noReply('not-sent')
      return
    }
    const length = this.#responder.respond(packet, packet.length, peer, 'udp', this.#out)
    if (length === 0) return
    this.#socket.send(this.#out, 0, length, port, address)
    // Mostly the kernel takes it at once, and the buffer is free again.
    if (this.#socket.getSendQueueCount() > 0) this.#out = Buffer.allocUnsafeSlow(UDP_REPLY_BYTES_MAX)
  }
}
