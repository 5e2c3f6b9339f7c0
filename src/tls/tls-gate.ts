// Where a TLS connection waits for its handshake: gives it the certificate for the name it asks for, agrees on
// HTTP/2 or HTTP/1.1, and ends it when the handshake fails or takes too long. Owns the socket until then.
import type { Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Server, TLSSocket } from 'node:tls'
import type { Clock } from '../clock.ts'
import { findContext } from './certificate-set.ts'
import type { CertificateSet } from './certificate-set.ts'
import { HANDSHAKE_TIMEOUT_MS } from './limits.ts'

interface Pending {
  readonly socket: Socket
  readonly deadlineMs: number
}

export class TlsGate {
  /** Handshakes that came to nothing. */
  failed = 0
  private certificates: CertificateSet
  /** Never listens: sockets are given to it. */
  private readonly server: Server
  private readonly clock: Clock
  /** In their handshake, by the two ends of the connection: the socket that comes out of it is another one. */
  private readonly pending = new Map<string, Pending>()

  constructor(certificates: CertificateSet, clock: Clock, onSecure: (socket: TLSSocket) => void) {
    this.certificates = certificates
    this.clock = clock
    this.server = createServer({
      ...certificates.fallback,
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (name, done) => done(null, findContext(this.certificates, name) ?? undefined),
      // The deadline below comes first; this is for a handshake that it has lost sight of.
      handshakeTimeout: 3 * HANDSHAKE_TIMEOUT_MS,
    })
    this.server.on('secureConnection', (socket) => {
      this.pending.delete(endsOf(socket))
      onSecure(socket)
    })
    this.server.on('tlsClientError', (_error, socket) => {
      this.failed++
      socket.destroy()
    })
  }

  get connectionCount(): number {
    return this.pending.size
  }

  /** A connection of which nothing was read yet. Gives the socket whose close is the end of it all. */
  take(accepted: Socket): Socket {
    const ends = endsOf(accepted)
    this.pending.set(ends, {
      socket: accepted,
      deadlineMs: this.clock.monotonic() + HANDSHAKE_TIMEOUT_MS,
    })
    // Who closes its side before the handshake is over has left.
    accepted.allowHalfOpen = false
    accepted.on('error', () => {})
    accepted.once('close', () => {
      if (this.pending.get(ends)?.socket === accepted) this.pending.delete(ends)
    })
    this.server.emit('connection', accepted)
    return accepted
  }

  /** For handshakes from now on; sessions that tickets remember begin anew, since the tickets' keys change too. */
  replace(certificates: CertificateSet): void {
    this.server.setSecureContext(certificates.fallback)
    this.certificates = certificates
  }

  checkDeadlines(nowMs: number): void {
    for (const { socket, deadlineMs } of this.pending.values()) {
      if (nowMs >= deadlineMs) socket.destroy()
    }
  }

  /** Nothing was asked yet, so nothing is lost. */
  drain(): void {
    this.close()
  }

  close(): void {
    for (const { socket } of this.pending.values()) socket.destroy()
  }
}

function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`
}
