// The scenario's client over HTTP/2: node:http2 on one connection, any certificate taken. As in client.ts, a broken
// reply is a result like any other.
import { connect } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { once } from 'node:events'
import type { TestScope } from './scope.ts'

export interface Http2Reply {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** False when the stream was reset, or the connection went, before the end. */
  complete: boolean
  resetCode: number
}

/** A session that ends with the test. */
export async function openHttp2(t: TestScope, port: number): Promise<ClientHttp2Session> {
  const session = connect(`https://localhost:${port}`, {
    rejectUnauthorized: false,
    lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  })
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  await once(session, 'connect')
  return session
}

/** Sends a request and reads its reply to the end. */
export function ask(
  session: ClientHttp2Session,
  path: string,
  fields: Readonly<Record<string, string | string[]>> = {},
  body?: Uint8Array | string,
): Promise<Http2Reply> {
  const stream = session.request({ ':path': path, ...fields }, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return readReply(stream)
}

export function readReply(stream: ClientHttp2Stream): Promise<Http2Reply> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {}
    let ended = false
    const chunks: Buffer[] = []
    stream.on('response', (received) => (headers = received))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => (ended = true))
    stream.on('error', () => {})
    stream.on('close', () => {
      const status = Number(headers[':status'] ?? 0)
      const resetCode = stream.rstCode
      resolve({ status, headers, body: Buffer.concat(chunks), complete: ended && resetCode === 0, resetCode })
    })
  })
}
