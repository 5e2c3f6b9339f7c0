// Many sockets that ask a DNS listener over UDP, from addresses of their own, and a burst of theirs: it is sent while the
// scheduler stands still, so that all of it waits in the kernel when the scheduler goes on.
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import type { DaemonProcess } from './process.ts'
import type { TestScope } from './scope.ts'
import { until } from './until.ts'

/** On a busy machine. */
const REPLIES_WITHIN_MS = 10_000

/** One socket of a client. */
export class UdpAsker {
  readonly address: string
  /** In the order in which they came. */
  readonly replies: Buffer[] = []
  readonly #socket: Socket
  readonly #port: number
  #wake: () => void = () => {}

  constructor(socket: Socket, address: string, port: number) {
    this.#socket = socket
    this.address = address
    this.#port = port
    socket.on('message', (reply) => {
      this.replies.push(reply)
      this.#wake()
    })
  }

  /** Resolves when it is in the kernel: on loopback, with whom it is for. */
  send(packet: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const host = isIPv6(this.address) ? '::1' : '127.0.0.1'
    this.#socket.send(packet, this.#port, host, (error) => (error === null ? resolve() : reject(error)))
    return promise
  }

  /** Resolves when there are so many. */
  async has(count: number): Promise<void> {
    const late = AbortSignal.timeout(REPLIES_WITHIN_MS)
    while (this.replies.length < count) {
      if (late.aborted) throw new Error(`${this.address} has ${this.replies.length} replies, not ${count}`)
      // oxlint-disable-next-line no-await-in-loop -- until there are so many
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        late.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  /** The reply to a packet that is asked alone. */
  async ask(packet: Uint8Array): Promise<Buffer> {
    const before = this.replies.length
    await this.send(packet)
    await this.has(before + 1)
    return this.replies.splice(before, 1)[0] ?? Buffer.alloc(0)
  }
}

/** From these addresses of this machine, to the port of a listener. Closed with the test. */
export function openAskers(
  t: TestScope,
  port: number,
  addresses: readonly string[],
): Promise<readonly UdpAsker[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
      t.teardown(() => socket.close())
      socket.bind(0, address)
      await once(socket, 'listening')
      return new UdpAsker(socket, address, port)
    }),
  )
}

/** None of these processes runs meanwhile. */
export async function whileStill(
  daemons: readonly DaemonProcess[],
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    for (const daemon of daemons) {
      daemon.signal('SIGSTOP')
      // oxlint-disable-next-line no-await-in-loop -- each is there soon
      await until('it stands still', async () =>
        /\) T /.test(await readFile(`/proc/${daemon.pid}/stat`, 'latin1')),
      )
    }
    await work()
  } finally {
    for (const daemon of daemons) daemon.signal('SIGCONT')
  }
}
