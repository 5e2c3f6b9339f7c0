// The public server with certificates, in the test's own process: for what needs its clock, its handler or its inside.
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import type { Transaction, TransactionHandler } from '../../src/http/transaction.ts'
import { HttpServer } from '../../src/listener/http-server.ts'
import type { HttpServerOptions } from '../../src/listener/http-server.ts'
import { loadCertificates } from '../../src/tls/certificate-set.ts'
import { makeCertificate } from './certificates.ts'
import { RawClient } from './raw-client.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

export class TlsRig {
  readonly server: HttpServer
  /** All transactions, in order. */
  readonly seen: Transaction[] = []
  port = 0
  #aheadMs = 0

  constructor(handler: TransactionHandler, options: Omit<HttpServerOptions, 'handler' | 'clock'>) {
    const clock: Clock = {
      now: () => systemClock.now(),
      monotonic: () => systemClock.monotonic() + this.#aheadMs,
    }
    this.server = new HttpServer({
      clock,
      handler: (transaction) => {
        this.seen.push(transaction)
        handler(transaction)
      },
      ...options,
    })
  }

  /** Time passes; the server's sweep sees it within a second. */
  pass(ms: number): void {
    this.#aheadMs += ms
  }

  targets(): string[] {
    return this.seen.map(({ request }) => request.target)
  }
}

/** A server for `localhost` that ends with the test. */
export async function openTlsRig(
  t: TestScope,
  handler: TransactionHandler,
  options: Omit<HttpServerOptions, 'handler' | 'clock' | 'tls'> = {},
): Promise<TlsRig> {
  const files = await makeCertificate(await tempDirectory(t), 'server')
  const certificates = await loadCertificates([files], { minimum: 'TLSv1.2', nowMs: systemClock.now() })
  const rig = new TlsRig(handler, { ...options, tls: { certificates } })
  rig.port = await rig.server.listen({ host: '127.0.0.1', port: 0 }, 'listen')
  t.teardown(() => rig.server.drain(0))
  return rig
}

/** Resolves after the handshake; the certificate is taken as it comes. */
export async function connectTls(
  t: TestScope,
  port: number,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  socket.setNoDelay(true)
  return socket
}

/** HTTP/1.1 by hand, through TLS. */
export async function openRawTls(
  t: TestScope,
  port: number,
  options: ConnectionOptions = {},
): Promise<RawClient> {
  return new RawClient(await connectTls(t, port, { ALPNProtocols: ['http/1.1'], ...options }))
}
