// A client that writes HTTP/2 frames by hand, sound or not, and notes the frames that come back: for what a proper
// client would never send.
import type { TLSSocket } from 'node:tls'
import type { TestScope } from './scope.ts'
import { connectTls } from './tls-server.ts'

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export interface Frame {
  type: number
  flags: number
  stream: number
  payload: Buffer
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** RFC 7541 §6.2.2: each field as it is, without table and Huffman code; bytes as latin1. */
export function fieldBlock(pairs: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]))
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const length = bytes.length < 127 ? [bytes.length] : [127, ...continued(bytes.length - 127)]
  return Buffer.concat([Buffer.from(length), bytes])
}

function continued(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...continued(Math.floor(value / 128))]
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4)
  return bytes
}

/** The pseudo-fields of a GET, some of them replaced. */
export function get(
  target: string,
  fields: readonly (readonly [string, string])[] = [],
  pseudo: Readonly<Record<string, string>> = {},
): [string, string][] {
  const first = {
    ':method': 'GET',
    ':scheme': 'https',
    ':authority': 'a.example',
    ':path': target,
    ...pseudo,
  }
  return [...Object.entries(first), ...fields.map(([name, value]): [string, string] => [name, value])]
}

export class FrameClient {
  readonly socket: TLSSocket
  readonly frames: Frame[] = []
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>
  ended = false
  #unread = Buffer.alloc(0)
  #next = 1
  #wake = new Set<() => void>()

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.ended = true
        this.#changed()
        resolve()
      })
    })
  }

  send(...bytes: Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(bytes))
  }

  /** A whole request without a body; gives its stream. */
  request(pairs: readonly (readonly [string, string])[], end = true): number {
    const stream = this.#next
    this.#next += 2
    this.send(frame(TYPE.headers, FLAG.endHeaders | (end ? FLAG.endStream : 0), stream, fieldBlock(pairs)))
    return stream
  }

  /** A stream number that no request has used. */
  nextStream(): number {
    const stream = this.#next
    this.#next += 2
    return stream
  }

  /** The first frame that fits, come or to come; undefined when the connection ends without. */
  async find(fits: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (let seen = 0; ;) {
      for (; seen < this.frames.length; seen++) {
        const candidate = this.frames[seen]
        if (candidate !== undefined && fits(candidate)) return candidate
      }
      if (this.ended) return undefined
      await new Promise<void>((resolve) => this.#wake.add(resolve))
    }
  }

  /** How a stream was answered: its status if it is one of the few in HPACK's table, or 'reset', 'goaway', 'closed'. */
  async outcome(stream: number): Promise<number | 'other' | 'reset' | 'goaway' | 'closed'> {
    const found = await this.find(
      ({ type, stream: of }) =>
        type === TYPE.goaway || (of === stream && (type === TYPE.headers || type === TYPE.rstStream)),
    )
    if (found === undefined) return 'closed'
    if (found.type === TYPE.goaway) return 'goaway'
    if (found.type === TYPE.rstStream) return 'reset'
    return STATUSES.get(found.payload[0] ?? 0) ?? 'other'
  }

  /** The error code of GOAWAY; undefined when the connection ended without one. */
  async goaway(): Promise<number | undefined> {
    const found = await this.find(({ type }) => type === TYPE.goaway)
    return found?.payload.readUInt32BE(4)
  }

  /** Does the connection still answer? */
  async alive(): Promise<boolean> {
    const mark = Buffer.from(`ping ${this.frames.length}`.padEnd(8).slice(0, 8))
    this.send(frame(TYPE.ping, 0, 0, mark))
    const pong = await this.find(
      ({ type, flags, payload }) => type === TYPE.ping && (flags & FLAG.ack) !== 0 && payload.equals(mark),
    )
    return pong !== undefined
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk])
    while (this.#unread.length >= 9) {
      const length = this.#unread.readUIntBE(0, 3)
      if (this.#unread.length < 9 + length) break
      this.frames.push({
        type: this.#unread[3] ?? 0,
        flags: this.#unread[4] ?? 0,
        stream: this.#unread.readUInt32BE(5) & 0x7fffffff,
        payload: this.#unread.subarray(9, 9 + length),
      })
      this.#unread = this.#unread.subarray(9 + length)
    }
    this.#changed()
  }

  #changed(): void {
    for (const wake of this.#wake) wake()
    this.#wake.clear()
  }
}

/** RFC 7541 appendix A, as the first byte of a field block. */
const STATUSES = new Map([
  [0x88, 200],
  [0x89, 204],
  [0x8a, 206],
  [0x8b, 304],
  [0x8c, 400],
  [0x8d, 404],
  [0x8e, 500],
])

/** Connects and says what every client says first, unless `settings` is null: then nothing at all. */
export async function openFrames(
  t: TestScope,
  port: number,
  settings: Uint8Array | null = Buffer.alloc(0),
): Promise<FrameClient> {
  const client = new FrameClient(await connectTls(t, port, { ALPNProtocols: ['h2'] }))
  if (settings !== null) client.send(PREFACE, frame(TYPE.settings, 0, 0, settings))
  return client
}
