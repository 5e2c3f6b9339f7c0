// A client on a bare socket: sends any bytes, reads replies one by one or all there is until the close.
// For framing, pipelining, slow readers and early leavers, where a proper client would interfere.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import type { TestScope } from './scope.ts'

export interface RawReply {
  status: number
  reason: string
  /** Lower-case name → value; repeated fields joined with ', '. */
  headers: ReadonlyMap<string, string>
  body: Buffer
}

export class RawClient {
  readonly socket: Socket
  /** Resolves when the connection is over; true when it was reset. */
  readonly closed: Promise<boolean>
  #unread: Buffer = Buffer.alloc(0)
  /** What came after `#unread`, joined to it when that is looked at: a long body is not copied for each piece. */
  #pieces: Buffer[] = []
  #piecesBytes = 0
  #ended = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    let reset = false
    socket.on('data', (chunk: Buffer) => {
      this.#pieces.push(chunk)
      this.#piecesBytes += chunk.length
      this.#wake()
    })
    socket.on('error', () => {
      reset = true
    })
    socket.on('end', () => this.#finish())
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#finish()
        resolve(reset)
      })
    })
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** One reply, its body by Content-Length, chunked, or until the close. Null when the server closed instead. */
  async read(options: { head?: boolean } = {}): Promise<RawReply | null> {
    const head = await this.readHead()
    if (head === null) return null
    const bodiless = options.head === true || head.status === 204 || head.status === 304 || head.status < 200
    return { ...head, body: bodiless ? Buffer.alloc(0) : await this.#readBody(head.headers) }
  }

  /** The head alone; the body stays unread. */
  async readHead(): Promise<Omit<RawReply, 'body'> | null> {
    const end = await this.#until('\r\n\r\n')
    if (end === -1) return null
    const [statusLine = '', ...lines] = this.#take(end + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n')
    const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine)
    if (match === null) throw new Error(`not a status line: ${statusLine}`)
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
    }
    return { status: Number(match[1]), reason: match[2] ?? '', headers }
  }

  /** All bytes until the server closes. */
  async readAll(): Promise<Buffer> {
    while (!this.#ended) await this.#more()
    return this.#take(this.#bytesUnread)
  }

  /** Resolves when at least so many body or head bytes are here, unread; false when the end came before. */
  async has(bytes: number): Promise<boolean> {
    while (this.#bytesUnread < bytes && !this.#ended) await this.#more()
    return this.#bytesUnread >= bytes
  }

  /** Stops reading, so that the server's sends back up; resume() goes on. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Leaves at once. */
  leave(): void {
    this.socket.destroy()
  }

  async #readBody(headers: ReadonlyMap<string, string>): Promise<Buffer> {
    if (headers.get('transfer-encoding') === 'chunked') return this.#readChunks()
    const length = headers.get('content-length')
    if (length === undefined) return this.readAll()
    if (!(await this.has(Number(length)))) throw new Error(`closed before the ${length} bytes declared`)
    return this.#take(Number(length))
  }

  async #readChunks(): Promise<Buffer> {
    const chunks: Buffer[] = []
    for (;;) {
      const end = await this.#until('\r\n')
      if (end === -1) throw new Error('closed within a chunked body')
      const size = Number.parseInt(this.#take(end + 2).toString('latin1'), 16)
      if (!(await this.has(size + 2))) throw new Error('closed within a chunk')
      const chunk = this.#take(size + 2)
      if (size === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, size))
    }
  }

  async #until(mark: string): Promise<number> {
    for (;;) {
      const at = this.#joined().indexOf(mark, 0, 'latin1')
      if (at !== -1 || this.#ended) return at
      await this.#more()
    }
  }

  #take(bytes: number): Buffer {
    const unread = this.#joined()
    this.#unread = unread.subarray(bytes)
    return unread.subarray(0, bytes)
  }

  get #bytesUnread(): number {
    return this.#unread.length + this.#piecesBytes
  }

  #joined(): Buffer {
    if (this.#pieces.length > 0) {
      this.#unread = Buffer.concat([this.#unread, ...this.#pieces])
      this.#pieces = []
      this.#piecesBytes = 0
    }
    return this.#unread
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #finish(): void {
    this.#ended = true
    this.#wake()
  }
}

/** Connects to `http://host:port`; the socket is destroyed when the test ends. */
export async function openRaw(t: TestScope, url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), noDelay: true })
  await once(socket, 'connect')
  t.teardown(() => socket.destroy())
  return new RawClient(socket)
}
