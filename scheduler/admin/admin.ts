// The admin listener: metrics, health, what the scheduler knows of its edges, and what operators say of them.
// Loopback by default.
import type { FastifyInstance } from 'fastify'
import type { Registry as PromRegistry } from 'prom-client'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { VERSION } from '../../src/version.ts'
import type { EdgeOverride } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { addConsoleRoutes } from '../console/console-routes.ts'
import type { EventLog } from '../events/event-log.ts'
import { holdRecordsOf } from '../explain/circumstances.ts'
import { stateOf, suspicionOf } from '../health/liveness.ts'
import type { EdgeState, Suspicion } from '../health/liveness.ts'
import type { Reach } from '../health/reachability.ts'
import { createService } from '../../src/http-service.ts'
import { OVERRIDE_BYTES_MAX, PREFETCH_LIST_MS } from '../limits.ts'
import type { Prefetches } from '../prefetch/prefetches.ts'
import { ageOf } from '../registry/registry.ts'
import type { Registry } from '../registry/registry.ts'
import type { Snapshot, SnapshotSource } from '../snapshot.ts'
import { addConfigRoutes } from './config-routes.ts'
import type { ConfigRoutesDeps } from './config-routes.ts'
import { addExplainRoute } from './explain-route.ts'
import type { ExplainDeps } from './explain-route.ts'
import { addOriginRoutes } from './origin-routes.ts'
import type { OriginRouteDeps } from './origin-routes.ts'
import { addOverrideRoutes } from './override-routes.ts'
import { addPrefetchRoutes } from './prefetch-routes.ts'
import { addPurgeRoutes } from './purge-routes.ts'
import { readinessOf } from './readiness.ts'
import type { Lifecycle } from './readiness.ts'

export interface AdminDeps {
  /** Its name. */
  cluster: string
  promRegistry: PromRegistry
  snapshots: SnapshotSource
  registry: Registry
  explain: ExplainDeps['explain']
  explainDns: ExplainDeps['explainDns']
  events: EventLog
  prefetches: Prefetches
  /** Left out: no configuration is rolled out. */
  rollout?: ConfigRoutesDeps
  filling?: OriginRouteDeps['running']
  lifecycle: Readonly<Lifecycle>
  clock: Clock
  log: Logger
}

export interface EdgeEntry {
  id: string
  site: string
  url: string
  state: EdgeState
  /** Why it is suspect; null when it is not. */
  suspicion: Suspicion | null
  /** What probes over each address family say; null where nothing is probed. */
  reach: { ipv4: Reach; ipv6: Reach } | null
  /** Of the last report; null when there never was one. */
  ageMs: number | null
  report: EdgeReport | null
  /** What an operator said of it; null when nothing is in force. */
  override: EdgeOverride | null
}

export function createAdmin(deps: AdminDeps): FastifyInstance {
  const { promRegistry, snapshots, registry, lifecycle, clock, log } = deps
  const service = createService({ log, bodyBytesMax: OVERRIDE_BYTES_MAX, requestMs: PREFETCH_LIST_MS })
  service.get('/healthz', async () => ({ alive: true }))
  service.get('/readyz', async (_request, reply) => {
    const readiness = readinessOf(lifecycle, snapshots.current, clock.monotonic())
    const body = { ...readiness, registry: registry.status().state }
    return reply.code(readiness.ready ? 200 : 503).send(body)
  })
  service.get('/metrics', async (_request, reply) =>
    reply.header('Content-Type', promRegistry.contentType).send(await promRegistry.metrics()),
  )
  service.get('/api/v1/edges', async () => ({
    edges: edgeEntries(snapshots.current, registry.overrides(), clock.monotonic()),
  }))
  service.get('/api/v1/status', async () => {
    const nowMs = clock.monotonic()
    return {
      cluster: deps.cluster,
      version: VERSION,
      readiness: readinessOf(lifecycle, snapshots.current, nowMs),
      registry: registryEntry(registry, nowMs),
      holds: holdRecordsOf(snapshots.current, nowMs),
      properties: snapshots.current.topology.allProperties.map(({ id }) => id),
    }
  })
  addExplainRoute(service, deps)
  addOverrideRoutes(service, { registry, snapshots, log })
  addPurgeRoutes(service, deps)
  if (deps.rollout !== undefined) addConfigRoutes(service, deps.rollout)
  if (deps.filling !== undefined) addOriginRoutes(service, { running: deps.filling, clock })
  addPrefetchRoutes(service, deps)
  addConsoleRoutes(service)
  return service
}

/** `held`: other schedulers' reports are as they were `heldForMs` ago, for a reason in words. */
function registryEntry(registry: Registry, nowMs: number) {
  const { kind } = registry
  const status = registry.status()
  if (status.state === 'healthy') return { kind, state: status.state }
  const { state, sinceMs, reason } = status
  return { kind, state, reason, heldForMs: Math.round(nowMs - sinceMs) }
}

export function edgeEntries(
  { topology, reports, health, reach }: Snapshot,
  overrides: ReadonlyMap<string, EdgeOverride>,
  nowMs: number,
): EdgeEntry[] {
  return topology.edges.map((edge) => {
    const seen = reports[edge.index]
    const known = health[edge.index]
    const reached = reach[edge.index]
    const state = stateOf(seen, nowMs, known)
    const isSuspect = seen !== undefined && state === 'suspect'
    return {
      id: edge.id,
      site: edge.siteId,
      url: edge.url,
      state,
      ageMs: seen === undefined ? null : Math.round(ageOf(seen, nowMs)),
      report: seen?.report ?? null,
      suspicion: isSuspect ? suspicionOf(ageOf(seen, nowMs), known, nowMs) : null,
      reach: reached === undefined ? null : { ipv4: reached[4], ipv6: reached[6] },
      override: overrides.get(edge.id) ?? null,
    }
  })
}
