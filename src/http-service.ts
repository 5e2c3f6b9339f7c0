// A fastify service on a listener of ours: bounded requests, JSON errors, errors at listening that name the
// port and its key, and a close that waits a bounded time. For the control and admin listeners.
import { fastify } from 'fastify'
import type { FastifyError, FastifyInstance } from 'fastify'
import type { ListenAddress } from './config/values.ts'
import type { Logger } from './log.ts'
import { formatAuthority, listen } from './net/listen.ts'

/** Open connections; more are closed at once. Edges report over one each, and wait for events on another. */
const CONNECTIONS_MAX = 20_000
/** For a whole request to arrive, from its first byte. */
export const REQUEST_MS = 5000

export interface ServiceOptions {
  log: Logger
  bodyBytesMax: number
  /** For a whole request to arrive, where some are streams; left out: 5 s. */
  requestMs?: number
  /** A request that was refused before its handler: body too large, not JSON, cut short. */
  onClientError?: (status: number, method: string) => void
}

export function createService({
  log,
  bodyBytesMax,
  requestMs = REQUEST_MS,
  onClientError,
}: ServiceOptions): FastifyInstance {
  const service = fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMs,
    connectionTimeout: 2 * REQUEST_MS,
    exposeHeadRoutes: true,
    forceCloseConnections: 'idle',
  })
  service.server.maxConnections = CONNECTIONS_MAX
  service.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'not-found', message: 'no such route' }),
  )
  service.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) {
      log.error({ err: error, route: request.routeOptions.url }, 'request failed')
      return reply.code(status).send({ error: 'internal', message: 'internal error' })
    }
    onClientError?.(status, request.method)
    const code = status === 413 ? 'too-large' : 'bad-request'
    return reply.code(status).send({ error: code, message: error.message })
  })
  return service
}

/** Gives the base URL. */
export async function listenService(
  service: FastifyInstance,
  address: ListenAddress,
  setting: string,
): Promise<string> {
  await service.ready()
  const port = await listen(service.server, address, setting)
  return `http://${formatAuthority(address.host, port)}`
}

/** Lets running requests finish for at most `graceMs`. */
export async function closeService(service: FastifyInstance, graceMs: number): Promise<void> {
  const timer = setTimeout(() => service.server.closeAllConnections(), graceMs)
  await service.close()
  clearTimeout(timer)
}
