// Time to first byte of a miss: cold objects one after the other over a kept connection, the servers taking
// turns, so that whatever else the machine does hits them alike.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { systemClock } from '../../src/clock.ts'
import { objectPath } from './objects.ts'
import type { Peer } from './peer.ts'

/** Milliseconds from the request to the first byte of its reply, for each peer, in order. */
export async function measureFirstBytes(
  peers: readonly Peer[],
  bytes: number,
  firstNumber: number,
  count: number,
): Promise<number[][]> {
  const clients = await Promise.all(peers.map((peer) => FirstByteClient.open(peer.url)))
  const times: number[][] = peers.map(() => [])
  for (let i = 0; i < count; i++) {
    for (const [turn, client] of clients.entries()) {
      times[turn]?.push(await client.get(objectPath(bytes, firstNumber + i)))
    }
  }
  for (const client of clients) client.close()
  return times
}

class FirstByteClient {
  private readonly socket: Socket
  private readonly host: string

  constructor(socket: Socket, host: string) {
    this.socket = socket
    this.host = host
  }

  static async open(url: string): Promise<FirstByteClient> {
    const { hostname, port, host } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.setNoDelay(true)
    await once(socket, 'connect')
    return new FirstByteClient(socket, host)
  }

  async get(path: string): Promise<number> {
    const started = systemClock.monotonic()
    let firstByteMs = 0
    let head: string | undefined
    let received = Buffer.alloc(0)
    let left = Number.POSITIVE_INFINITY
    const whole = new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error('the connection closed before the reply was whole'))
      const onData = (chunk: Buffer) => {
        if (firstByteMs === 0) firstByteMs = systemClock.monotonic() - started
        if (head === undefined) {
          received = Buffer.concat([received, chunk])
          const end = received.indexOf('\r\n\r\n')
          if (end < 0) return
          head = received.toString('latin1', 0, end)
          left = Number(/^content-length: (\d+)/im.exec(head)?.[1]) - (received.length - end - 4)
        } else {
          left -= chunk.length
        }
        if (left > 0) return
        this.socket.off('data', onData).off('close', fail)
        resolve()
      }
      this.socket.on('data', onData).once('close', fail)
    })
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.host}\r\n\r\n`)
    await whole
    if (head?.startsWith('HTTP/1.1 200 ') !== true || left !== 0) throw new Error(`reply to ${path}: ${head}`)
    return firstByteMs
  }

  close(): void {
    this.socket.destroy()
  }
}
