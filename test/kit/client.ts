// The scenario's client: requests by node:http over kept-alive connections, hundreds at once if need be.
// A broken reply is a result like any other (`complete: false`), since tests are about those too.
import { Agent, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { TestScope } from './scope.ts'

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  /** Name, value, name, value … as received. */
  rawHeaders: string[]
  body: Buffer
  /** The body as UTF-8, decoded when it is asked for: most of what tests fetch is film. */
  readonly text: string
  /** False when the connection broke before the body's end. */
  complete: boolean
}

export interface RequestOptions {
  method?: string
  headers?: Record<string, string>
  agent?: Agent
  /** Where it comes from, where that is not for the system to choose. */
  localAddress?: string
  /** Called with each piece of the body and the bytes so far. */
  onData?: (chunk: Buffer, total: number) => void
  /** Gives the request up, as a client that leaves. */
  signal?: AbortSignal
}

const shared = new Agent({ keepAlive: true, maxSockets: Infinity, timeout: 60_000 })
// Idle connections of finished tests must not keep the test process alive.
shared.on('free', (socket) => socket.unref())

/** An agent of its own, closed with the test. */
export function createAgent(t: TestScope, maxSockets = Infinity): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets })
  t.teardown(() => agent.destroy())
  return agent
}

/** Sends one request and reads the reply to its end; rejects only when there is no reply head at all. */
export function get(url: string, options: RequestOptions = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { protocol, hostname, port } = new URL(url)
    // The path goes out as it is written: a test's odd escapes must reach the server.
    const path = url.slice(`${protocol}//`.length).replace(/^[^/?]*/, '')
    const request = httpRequest({
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      path: path.startsWith('/') ? path : `/${path}`,
      method: options.method ?? 'GET',
      headers: { ...options.headers },
      agent: options.agent ?? shared,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    request.on('error', reject)
    request.on('response', (response) => {
      readReply(response, options.onData).then(resolve, reject)
    })
    request.end()
  })
}

function readReply(response: IncomingMessage, onData: RequestOptions['onData']): Promise<Reply> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let total = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      total += chunk.length
      onData?.(chunk, total)
    })
    // 'error' always comes with 'close'; `complete` tells the two endings apart.
    response.on('error', () => {})
    response.on('close', () => {
      const body = Buffer.concat(chunks)
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        rawHeaders: response.rawHeaders,
        body,
        get text() {
          return body.toString()
        },
        complete: response.complete,
      })
    })
  })
}

/** A client that reads as little as the test says: the reply's body is held until `read` is called. */
export interface HeldReply {
  status: number
  headers: IncomingHttpHeaders
  read(): Promise<Reply>
  leave(): void
}

export function getHeld(url: string, options: RequestOptions = {}): Promise<HeldReply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'GET', headers: { ...options.headers }, agent: false })
    request.on('error', reject)
    request.on('response', (response) => {
      response.pause()
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        read: () => readReply(response, options.onData),
        leave: () => response.destroy(),
      })
    })
    request.end()
  })
}
