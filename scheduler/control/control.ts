// The control listener: edges report here each second and fetch what they serve. Every request carries the
// edge's key; wrong ones are answered 401 and logged at a bounded rate, never with the key.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { EdgeConfig } from '../../src/wire/edge-config.ts'
import type { SchedulerMetrics } from '../admin/metrics.ts'
import { createService } from '../../src/http-service.ts'
import { BoundedLog } from '../bounded-log.ts'
import { REPORT_BYTES_MAX } from '../limits.ts'
import type { Registry } from '../registry/registry.ts'
import type { EdgeView, Topology } from '../topology.ts'
import type { EventLog } from '../events/event-log.ts'
import { matchesEtag } from './etag.ts'
import { addEventsRoute } from './events-route.ts'
import { addGuidanceRoute } from './guidance-route.ts'
import type { SiteGuidanceSource } from './guidance-route.ts'
import { findKeyHolders } from './keys.ts'
import type { Prefetches } from '../prefetch/prefetches.ts'
import { addEdgePrefetchRoutes } from './prefetch-routes.ts'
import { JSON_TYPE, REPORT_PATH } from './report-connection.ts'
import { ReportConnections } from './report-connections.ts'
import { reportTaker } from './report-taker.ts'

export interface ControlDeps {
  /** Read once a request. */
  running: {
    readonly now: {
      readonly topology: Topology
      readonly edgeConfig: EdgeConfig
      readonly filling: { readonly guidance: SiteGuidanceSource }
    }
  }
  /** Resolves when this version of the cluster's configuration runs here, or after a while without it. */
  untilRuns: (version: number) => Promise<void>
  registry: Registry
  events: EventLog
  prefetches: Prefetches
  background: Background
  metrics: SchedulerMetrics
  clock: Clock
  log: Logger
}

export function createControl(deps: ControlDeps): FastifyInstance {
  const { running, registry, metrics, log } = deps
  const warnings = new BoundedLog(deps.clock, log)
  const replyAt = (siteId: string) => running.now.filling.guidance.reportReplyAt(siteId)
  const take = reportTaker({ registry, metrics, warnings, replyAt })
  const service = createService({
    log,
    bodyBytesMax: REPORT_BYTES_MAX,
    onClientError(status, method) {
      if (method === 'POST') metrics.reported(status === 413 ? 'too-large' : 'invalid')
    },
  })

  service.decorateRequest('keyHolders', null)
  // Before the body is read: a stranger's body is not worth parsing.
  service.addHook('onRequest', (request, reply, done) => {
    const holders = findKeyHolders(running.now.topology, request.headers.authorization)
    if (holders.length > 0) {
      request.keyHolders = holders
      return done()
    }
    warnings.warn('key', { peer: request.ip }, 'refused a missing or unknown edge key')
    if (request.method === 'POST') metrics.reported('refused-key')
    return refuse(reply.header('WWW-Authenticate', 'Bearer'), 401, 'key', 'missing or unknown edge key')
  })

  let ready = readyReplies(running.now.edgeConfig)
  const replies = () => {
    const { edgeConfig } = running.now
    if (ready.edgeConfig !== edgeConfig) ready = readyReplies(edgeConfig)
    return ready
  }
  const connections = new ReportConnections(service.server, deps.clock, {
    take,
    topology: () => running.now.topology,
  })
  // Those that come in another form than edges send them in, or are to be refused.
  service.post(REPORT_PATH, (request, reply) => {
    const { status, text } = take(request.body, holdersOf(request), request.ip)
    return reply.code(status).type(JSON_TYPE).send(text)
  })

  addEdgePrefetchRoutes(service, { prefetches: deps.prefetches, holdersOf })
  const guidance = () => running.now.filling.guidance
  addGuidanceRoute(service, { guidance, holdersOf })
  const wake = addEventsRoute(service, {
    events: deps.events,
    background: deps.background,
    guidance,
    holdersOf,
  })
  // Edges that wait for events are answered, or the listener would wait for them.
  service.addHook('preClose', async () => {
    wake()
    connections.close()
  })

  service.get('/edge/v1/config', async (request, reply) => {
    const { atLeast } = configQuerySchema.parse(request.query)
    if (atLeast !== undefined) await deps.untilRuns(atLeast)
    const { etag, config } = replies()
    void reply.header('ETag', etag).header('Cache-Control', 'no-cache')
    if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type(JSON_TYPE).send(config)
  })
  return service
}

/** What is no version is as good as none. */
const configQuerySchema = z.object({
  atLeast: z.coerce.number().int().positive().optional().catch(undefined),
})

/** Made once a configuration: all edges ask for it at once. */
function readyReplies(edgeConfig: EdgeConfig) {
  const { version } = edgeConfig
  return {
    edgeConfig,
    etag: `"${version}"`,
    config: JSON.stringify(edgeConfig),
  }
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
