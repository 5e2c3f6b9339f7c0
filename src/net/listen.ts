// Opening a listener, with an error that names the port and what moves it.
import type { Server } from 'node:net'
import type { ListenAddress } from '../config/values.ts'
import { messageOf, systemCode } from '../errors.ts'

const REASONS: Record<string, string> = {
  EADDRINUSE: 'is taken',
  EACCES: 'needs more privilege',
  EADDRNOTAVAIL: 'is not an address of this machine',
}

/**
 * Listens and gives the port in use. `setting` is the key or option that moves the listener, for the
 * one-line error when that fails.
 */
export function listen(
  server: Server,
  address: ListenAddress,
  setting: string,
  { reusePort = false, ipv6Only = false }: { readonly reusePort?: boolean; readonly ipv6Only?: boolean } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => reject(listenError(address, setting, cause))
    server.once('error', failed)
    server.listen({ host: address.host, port: address.port, backlog: 4096, reusePort, ipv6Only }, () => {
      server.off('error', failed)
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port)
    })
  })
}

/** In one line: which port, what is wrong, and what moves it. */
export function listenError({ host, port }: ListenAddress, setting: string, cause: unknown): Error {
  const reason = REASONS[systemCode(cause) ?? ''] ?? `cannot be used (${messageOf(cause)})`
  return new Error(`port ${port} on ${host} ${reason}; change ${setting}`, { cause })
}

/** `host:port` with IPv6 in brackets, for URLs and logs. */
export function formatAuthority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
