// An origin that notes every request it reads, body and all, and answers each with `ok`: for what must reach it
// exactly once, or not at all. It reads strictly; bytes that it cannot read are noted too.
import { createServer } from 'node:http'
import { listen } from '../../src/net/listen.ts'
import type { TestScope } from './scope.ts'

export interface RecordedRequest {
  method: string
  target: string
  /** Name, value, name, value … as received. */
  fields: string[]
  body: string
  /** False when it was broken off. */
  complete: boolean
}

export interface RecordingOrigin {
  readonly url: string
  readonly requests: readonly RecordedRequest[]
  /** Bytes that were no request. */
  readonly garbage: readonly string[]
}

export async function startRecordingOrigin(t: TestScope): Promise<RecordingOrigin> {
  const requests: RecordedRequest[] = []
  const garbage: string[] = []
  const server = createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    const request: RecordedRequest = {
      method: message.method ?? '',
      target: message.url ?? '',
      fields: message.rawHeaders,
      body: '',
      complete: false,
    }
    requests.push(request)
    message.setEncoding('latin1')
    message.on('data', (text: string) => (request.body += text))
    message.on('error', () => {})
    message.on('end', () => {
      request.complete = message.complete
      response.writeHead(200, { 'Cache-Control': 'no-store', 'Content-Length': 2 })
      response.end('ok')
    })
  })
  server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
    if (error.rawPacket !== undefined) garbage.push(error.rawPacket.toString('latin1'))
    socket.destroy()
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'origin')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${port}`, requests, garbage }
}
