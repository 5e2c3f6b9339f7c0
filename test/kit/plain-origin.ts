// An origin that answers everything alike and counts what it is asked, for tests of whom is asked, not of what comes.
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { once } from 'node:events'
import { formatAuthority } from '../../src/net/listen.ts'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'

export class PlainOrigin {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Of every answer from now on. */
  status = 200
  /** Of requests to paths that do not begin with `/health`. */
  count = 0
  /** The first of all, and the last of those. */
  first: { target: string | undefined; headers: IncomingHttpHeaders } | undefined
  last: { target: string | undefined; headers: IncomingHttpHeaders } | undefined
  readonly #server = createServer(({ url, headers }, response) => {
    const asked = { target: url, headers }
    this.first ??= asked
    if (url?.startsWith('/health') !== true) {
      this.count += 1
      this.last = asked
    }
    response.writeHead(this.status, { 'Cache-Control': 'no-store' }).end('x'.repeat(10_000))
  })

  constructor(host: string, port: number) {
    this.host = host
    this.port = port
    this.url = `http://${formatAuthority(host, port)}`
    // Whoever asks decides when a connection ends.
    this.#server.keepAliveTimeout = 120_000
  }

  /** Listens (again) on its one port. */
  async start(): Promise<void> {
    this.#server.listen(this.port, this.host)
    await once(this.#server, 'listening')
  }

  /** Refuses connections, and breaks those there are. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** Ends with the test. */
export async function startPlainOrigin(t: TestScope, host = '127.0.0.1'): Promise<PlainOrigin> {
  const origin = new PlainOrigin(host, await freePort())
  await origin.start()
  t.teardown(() => origin.stop())
  return origin
}
