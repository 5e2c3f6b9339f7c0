// A DNS client on bare sockets: sends any octets, and gives the replies as they came. For what dig and kdig never send.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIPv6 } from 'node:net'
import type { Socket } from 'node:net'
import { queryBytes } from './dns-bytes.ts'
import type { TestScope } from './scope.ts'

/** For this process to read what was sent to it on loopback. */
const READ_WITHIN_MS = 300

/**
 * The replies to these packets, all sent at once from one port. The server has had its time for them, however slow the
 * machine is, when it has answered over TCP what it was asked behind them.
 */
export async function askOverUdp(
  port: number,
  packets: readonly Uint8Array[],
  server = '127.0.0.1',
): Promise<Buffer[]> {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4')
  const replies: Buffer[] = []
  const { promise: all, resolve } = Promise.withResolvers<void>()
  socket.on('message', (reply) => {
    replies.push(reply)
    if (replies.length === packets.length) resolve()
  })
  for (const packet of packets) socket.send(packet, port, server)
  const behind = new DnsTcpClient(connect({ host: server, port, noDelay: true }))
  behind.send(withLength(queryBytes()))
  await Promise.race([all, behind.reply()])
  behind.leave()
  const timer = setTimeout(resolve, READ_WITHIN_MS)
  await all
  clearTimeout(timer)
  socket.close()
  return replies
}

export class DnsTcpClient {
  /** Resolves when the server has closed. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #isClosed = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, bytes])
      this.#wake()
    })
    // A reset is a close too.
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true
        this.#wake()
        resolve()
      })
    })
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  leave(): void {
    this.#socket.destroy()
  }

  /** The next message; undefined when the server closed instead. */
  async reply(): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.#unread.length < 2 ? Infinity : 2 + this.#unread.readUInt16BE(0)
      if (end <= this.#unread.length) {
        const reply = this.#unread.subarray(2, end)
        this.#unread = this.#unread.subarray(end)
        return reply
      }
      if (this.#isClosed) return undefined
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** Ended with the test. */
export async function openDnsTcp(t: TestScope, port: number, server = '127.0.0.1'): Promise<DnsTcpClient> {
  const socket = connect({ host: server, port, noDelay: true })
  await once(socket, 'connect')
  t.teardown(() => socket.destroy())
  return new DnsTcpClient(socket)
}

/** A message as it is sent over TCP (RFC 1035 §4.2.2). */
export function withLength(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
