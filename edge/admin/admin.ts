// The edge's admin listener, loopback by default: metrics and health.
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { createService } from '../../src/http-service.ts'
import type { Logger } from '../../src/log.ts'

/** Why the edge cannot serve yet, or no longer; null when it can. */
export type ReadinessProbe = () => string | null

const BODY_BYTES_MAX = 64 * 1024

export function createAdmin(log: Logger, registry: Registry, notReady: ReadinessProbe): FastifyInstance {
  const admin = createService({ log, bodyBytesMax: BODY_BYTES_MAX })
  admin.get('/healthz', async () => ({ status: 'alive' }))
  admin.get('/readyz', async (_request, reply) => {
    const reason = notReady()
    return reason === null ? { status: 'ready' } : reply.code(503).send({ status: 'not-ready', reason })
  })
  admin.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  return admin
}
