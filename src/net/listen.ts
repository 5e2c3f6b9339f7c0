// Opening a listener, with an error that names the port and what moves it.
import type { Server } from 'node:net'
import type { ListenAddress } from '../config/values.ts'
import { systemCode } from '../errors.ts'

const REASONS: Record<string, string> = {
  EADDRINUSE: 'is taken',
  EACCES: 'needs more privilege',
  EADDRNOTAVAIL: 'is not an address of this machine',
}

/**
 * Listens and gives the port in use. `setting` is the key or option that moves the listener, for the
 * one-line error when that fails.
 */
export function listen(server: Server, address: ListenAddress, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      const reason = REASONS[systemCode(cause) ?? ''] ?? `cannot be used (${cause.message})`
      reject(new Error(`port ${address.port} on ${address.host} ${reason}; change ${setting}`, { cause }))
    }
    server.once('error', failed)
    server.listen({ host: address.host, port: address.port, backlog: 4096 }, () => {
      server.off('error', failed)
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port)
    })
  })
}

/** `host:port` with IPv6 in brackets, for URLs and logs. */
export function formatAuthority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
