// Packets of a UDP socket many a call: recvmmsg takes what waits, each is answered where it lies, and sendmmsg sends the
// replies, together with one to a packet that came otherwise. Owns the memory that the kernel reads and writes, which lasts
// as long as the batch; the socket is another's.
import assert from 'node:assert/strict'
import { ipv4OfWord, ipv6OfWords } from '../../../src/net/ip.ts'
import type { IpAddress } from '../../../src/net/ip.ts'
import { UDP_BATCH, QUERY_BYTES_MAX, UDP_REPLY_BYTES_MAX } from '../limits.ts'
import { AF_INET, AF_INET6 } from './c-library.ts'
import type { CLibrary } from './c-library.ts'

/** Writes the reply to the packet's first `length` octets into `out`, and gives its length; 0: there is none. */
export type AnswerPacket = (packet: Buffer, length: number, peer: IpAddress, out: Buffer) => number

/** A packet that was taken otherwise, of a peer that no zone belongs to. */
export interface CamePacket {
  readonly packet: Buffer
  readonly peer: IpAddress
  readonly port: number
}

/** What becomes of a reply that the kernel does not take now. */
export type UnsentReply = (reply: Buffer, port: number, peer: IpAddress) => void

const MSG_DONTWAIT = 0x40
const MSG_TRUNC = 0x20
const MSG_NOSIGNAL = 0x4000
const NO_TIMEOUT = 0n

/** `struct mmsghdr` of Linux with addresses of 64 bits, in octets from its start; what is not named stays 0. */
const HEADER = { NAME: 0, NAME_BYTES: 8, VECTOR: 16, VECTORS: 24, FLAGS: 48, BYTES: 56, SIZE: 64 } as const
/** `struct iovec`. */
const VECTOR = { BASE: 0, BYTES: 8, SIZE: 16 } as const
/** `sockaddr_in` and `sockaddr_in6`, in the room of the larger. */
const NAME = {
  FAMILY: 0,
  PORT: 2,
  IPV4: 4,
  FLOW: 4,
  IPV6: 8,
  ZONE: 24,
  IPV4_BYTES: 16,
  IPV6_BYTES: 28,
  SIZE: 32,
} as const
/** Of `c` in ::ffff:0:0/96, where a socket of IPv6 has its peers of IPv4. */
const MAPPED = 0xffff

/** Places begin on lines of the processor's cache of their own, and not all in the same ones. */
const LINE_BYTES = 64
const PACKET_ROOM = QUERY_BYTES_MAX + LINE_BYTES
const REPLY_ROOM = Math.ceil(UDP_REPLY_BYTES_MAX / LINE_BYTES) * LINE_BYTES

/** Where each kind of thing begins in the memory, UDP_BATCH of each. */
const RECEIVED = 0
const SENT = RECEIVED + UDP_BATCH * HEADER.SIZE
const RECEIVED_VECTORS = SENT + UDP_BATCH * HEADER.SIZE
const SENT_VECTORS = RECEIVED_VECTORS + UDP_BATCH * VECTOR.SIZE
const NAMES = SENT_VECTORS + UDP_BATCH * VECTOR.SIZE
const PACKETS = NAMES + UDP_BATCH * NAME.SIZE
const REPLIES = PACKETS + UDP_BATCH * PACKET_ROOM
const MEMORY_BYTES = REPLIES + UDP_BATCH * REPLY_ROOM

interface Place {
  readonly packet: Buffer
  readonly reply: Buffer
  /** Of its header among those that are sent. */
  readonly sentFrom: bigint
}

export class UdpBatch {
  readonly #library: CLibrary
  readonly #fd: number
  readonly #family: 4 | 6
  readonly #onUnsent: UnsentReply
  readonly #view: DataView
  readonly #received: readonly [bigint, bigint]
  readonly #places: readonly Place[]

  /** `fd`: of a socket of `family`, which stays open for as long as `exchange` is called. */
  constructor(library: CLibrary, fd: number, family: 4 | 6, onUnsent: UnsentReply) {
    this.#onUnsent = onUnsent
    this.#library = library
    this.#fd = fd
    this.#family = family
    // Never grown, moved or given away: the kernel is told where it is.
    const memory = Buffer.allocUnsafeSlow(MEMORY_BYTES).fill(0)
    const base = library.addressOf(memory)
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.length)
    this.#received = [base + BigInt(RECEIVED), base + BigInt(RECEIVED + HEADER.SIZE)]
    this.#places = Array.from({ length: UDP_BATCH }, (_, i) => {
      const packetAt = PACKETS + i * PACKET_ROOM
      const replyAt = REPLIES + i * REPLY_ROOM
      this.#layOut(base, i, { header: RECEIVED, vector: RECEIVED_VECTORS, data: packetAt })
      this.#layOut(base, i, { header: SENT, vector: SENT_VECTORS, data: replyAt })
      return {
        packet: memory.subarray(packetAt, packetAt + QUERY_BYTES_MAX),
        reply: memory.subarray(replyAt, replyAt + UDP_REPLY_BYTES_MAX),
        sentFrom: base + BigInt(SENT + i * HEADER.SIZE),
      }
    })
  }

  /**
   * Takes up to `waitingMax` packets that wait, of what a batch has room for, and answers them, behind one that came
   * already. Gives how many waited. Replies that the kernel does not take now are handed over.
   */
  exchange(answer: AnswerPacket, waitingMax: number, came?: CamePacket): number {
    const ahead = came === undefined ? 0 : 1
    const asked = Math.min(waitingMax, UDP_BATCH - ahead)
    // -1 where nothing waits, as where the socket has failed: Node's own next call tells of that.
    const waited =
      asked === 0
        ? 0
        : Math.max(
            0,
            this.#library.recvmmsg(this.#fd, this.#received[ahead], asked, MSG_DONTWAIT, NO_TIMEOUT),
          )
    const count = ahead + waited
    let first = 0
    for (let i = 0; i < count; i += 1) {
      const length = i === 0 && came !== undefined ? this.#answerCame(came, answer) : this.#answer(i, answer)
      if (length > 0) {
        this.#view.setUint32(SENT_VECTORS + i * VECTOR.SIZE + VECTOR.BYTES, length, true)
        continue
      }
      this.#send(first, i)
      first = i + 1
    }
    this.#send(first, count)
    return waited
  }

  /** In the first place. */
  #answerCame({ packet, peer, port }: CamePacket, answer: AnswerPacket): number {
    const [place] = this.#places
    assert(place !== undefined, 'a batch has places')
    const view = this.#view
    view.setUint16(NAMES + NAME.FAMILY, this.#family === 4 ? AF_INET : AF_INET6, true)
    view.setUint16(NAMES + NAME.PORT, port)
    if (this.#family === 4) {
      view.setUint32(NAMES + NAME.IPV4, peer.d)
    } else {
      view.setUint32(NAMES + NAME.FLOW, 0)
      view.setUint32(NAMES + NAME.IPV6, peer.a)
      view.setUint32(NAMES + NAME.IPV6 + 4, peer.b)
      view.setUint32(NAMES + NAME.IPV6 + 8, peer.family === 4 ? MAPPED : peer.c)
      view.setUint32(NAMES + NAME.IPV6 + 12, peer.d)
      view.setUint32(NAMES + NAME.ZONE, 0)
    }
    return answer(packet, packet.length, peer, place.reply)
  }

  #answer(i: number, answer: AnswerPacket): number {
    const place = this.#places[i]
    assert(place !== undefined, 'the kernel was asked for no more')
    const header = RECEIVED + i * HEADER.SIZE
    const name = NAMES + i * NAME.SIZE
    // Port 0 is nobody's.
    if (this.#view.getUint16(name + NAME.PORT) === 0) return 0
    const isCut = (this.#view.getUint32(header + HEADER.FLAGS, true) & MSG_TRUNC) !== 0
    // One that is longer is told by a length that no query has.
    const length = isCut ? QUERY_BYTES_MAX + 1 : this.#view.getUint32(header + HEADER.BYTES, true)
    return answer(place.packet, length, this.#peer(name), place.reply)
  }

  #peer(name: number): IpAddress {
    const view = this.#view
    if (this.#family === 4) return ipv4OfWord(view.getUint32(name + NAME.IPV4))
    const at = name + NAME.IPV6
    return ipv6OfWords(
      view.getUint32(at),
      view.getUint32(at + 4),
      view.getUint32(at + 8),
      view.getUint32(at + 12),
    )
  }

  /**
   * Replies of the places from `first` to before `end`. One that cannot be sent, to nowhere, does not hold up those behind
   * it; after a second one the kernel has no room, and the others need not be tried.
   */
  #send(first: number, end: number): void {
    let failures = 0
    for (let next = first; next < end;) {
      const place = this.#places[next]
      assert(place !== undefined)
      const sent =
        failures > 1
          ? 0
          : this.#library.sendmmsg(this.#fd, place.sentFrom, end - next, MSG_DONTWAIT | MSG_NOSIGNAL)
      next += Math.max(0, sent)
      // It stops at the one that it cannot send, and says so when it is the first.
      if (next === end || sent > 0) continue
      failures += 1
      this.#handOver(next, place)
      next += 1
    }
  }

  /** As a copy: its place is for others soon. */
  #handOver(i: number, { reply }: Place): void {
    const name = NAMES + i * NAME.SIZE
    const length = this.#view.getUint32(SENT_VECTORS + i * VECTOR.SIZE + VECTOR.BYTES, true)
    const port = this.#view.getUint16(name + NAME.PORT)
    this.#onUnsent(Buffer.from(reply.subarray(0, length)), port, this.#peer(name))
  }

  /** The i-th header of either kind: both name the same peer, each its own data. */
  #layOut(
    base: bigint,
    i: number,
    { header, vector, data }: { readonly header: number; readonly vector: number; readonly data: number },
  ): void {
    const view = this.#view
    const headerAt = header + i * HEADER.SIZE
    const vectorAt = vector + i * VECTOR.SIZE
    view.setBigUint64(headerAt + HEADER.NAME, base + BigInt(NAMES + i * NAME.SIZE), true)
    // As long as each name of the family is, so that the kernel leaves it as it is.
    view.setUint32(headerAt + HEADER.NAME_BYTES, this.#family === 4 ? NAME.IPV4_BYTES : NAME.IPV6_BYTES, true)
    view.setBigUint64(headerAt + HEADER.VECTOR, base + BigInt(vectorAt), true)
    view.setBigUint64(headerAt + HEADER.VECTORS, 1n, true)
    view.setBigUint64(vectorAt + VECTOR.BASE, base + BigInt(data), true)
    view.setBigUint64(vectorAt + VECTOR.BYTES, BigInt(QUERY_BYTES_MAX), true)
  }
}
