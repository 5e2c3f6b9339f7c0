// The control listener: edges report here each second and fetch what they serve. Every request carries the
// edge's key; wrong ones are answered 401 and logged at a bounded rate, never with the key.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { EdgeConfig } from '../../src/wire/edge-config.ts'
import { edgeReportSchema } from '../../src/wire/report.ts'
import type { ReportReply } from '../../src/wire/report.ts'
import type { SchedulerMetrics } from '../admin/metrics.ts'
import { createService } from '../../src/http-service.ts'
import { REPORT_BYTES_MAX } from '../limits.ts'
import type { Registry } from '../registry/registry.ts'
import type { EdgeView, Topology } from '../topology.ts'
import { findKeyHolders } from './keys.ts'
import { RefusedKeyLog } from './refused-key-log.ts'

export interface ControlDeps {
  topology: Topology
  registry: Registry
  edgeConfig: EdgeConfig
  metrics: SchedulerMetrics
  clock: Clock
  log: Logger
}

export function createControl(deps: ControlDeps): FastifyInstance {
  const { topology, registry, edgeConfig, metrics, log } = deps
  const service = createService({
    log,
    bodyBytesMax: REPORT_BYTES_MAX,
    onClientError(status, method) {
      if (method === 'POST') metrics.reported(status === 413 ? 'too-large' : 'invalid')
    },
  })
  const refusedKeys = new RefusedKeyLog(deps.clock, log)

  service.decorateRequest('keyHolders', null)
  // Before the body is read: a stranger's body is not worth parsing.
  service.addHook('onRequest', async (request, reply) => {
    const holders = findKeyHolders(topology, request.headers.authorization)
    if (holders.length > 0) {
      request.keyHolders = holders
      return undefined
    }
    refusedKeys.note(request.ip)
    if (request.method === 'POST') metrics.reported('refused-key')
    return refuse(reply.header('WWW-Authenticate', 'Bearer'), 401, 'key', 'missing or unknown edge key')
  })

  service.post('/edge/v1/report', async (request, reply) => {
    const parsed = edgeReportSchema.safeParse(request.body)
    if (!parsed.success) {
      metrics.reported('invalid')
      const [issue] = parsed.error.issues
      const field = issue?.path.join('.') ?? ''
      return refuse(reply, 400, 'report', `${field === '' ? 'report' : field}: ${issue?.message ?? ''}`)
    }
    const report = parsed.data
    if (!holdersOf(request).some((edge) => edge.id === report.id)) {
      metrics.reported('other-edge')
      log.warn({ edge: report.id, peer: request.ip }, 'a report came with the key of another edge')
      return refuse(reply, 403, 'id', `id: this key is not that of edge "${report.id}"`)
    }
    registry.record(report)
    metrics.reported('accepted')
    return { configVersion: edgeConfig.version } satisfies ReportReply
  })

  const etag = `"${edgeConfig.version}"`
  service.get('/edge/v1/config', async (request, reply) => {
    void reply.header('ETag', etag).header('Cache-Control', 'no-cache')
    if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return edgeConfig
  })
  return service
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The edges whose key the request carries; null before the key was checked. */
    keyHolders: readonly EdgeView[] | null
  }
}

function holdersOf(request: FastifyRequest): readonly EdgeView[] {
  return request.keyHolders ?? []
}

function refuse(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message })
}

/** RFC 9110 §13.1.2: weak comparison, any of a list, or `*`. */
function matchesEtag(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false
  return field.split(',').some((part) => {
    const tag = part.trim()
    return tag === '*' || tag.replace(/^W\//, '') === etag
  })
}
