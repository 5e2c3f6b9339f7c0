// The admin listener: metrics, health, and what the scheduler knows of its edges. Read-only; loopback by
// default.
import type { FastifyInstance } from 'fastify'
import type { Registry as PromRegistry } from 'prom-client'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { stateOf } from '../choose/liveness.ts'
import type { EdgeState } from '../choose/liveness.ts'
import { createService } from '../../src/http-service.ts'
import { ageOf } from '../registry/registry.ts'
import type { Registry } from '../registry/registry.ts'
import type { Snapshot, SnapshotHolder } from '../snapshot.ts'
import { readinessOf } from './readiness.ts'
import type { Lifecycle } from './readiness.ts'

export interface AdminDeps {
  promRegistry: PromRegistry
  snapshots: SnapshotHolder
  registry: Registry
  lifecycle: Readonly<Lifecycle>
  clock: Clock
  log: Logger
}

export interface EdgeEntry {
  id: string
  site: string
  url: string
  state: EdgeState
  /** Of the last report; null when there never was one. */
  ageMs: number | null
  report: EdgeReport | null
}

export function createAdmin(deps: AdminDeps): FastifyInstance {
  const { promRegistry, snapshots, registry, lifecycle, clock, log } = deps
  // Nothing here takes a body.
  const service = createService({ log, bodyBytesMax: 1 })
  service.get('/healthz', async () => ({ alive: true }))
  service.get('/readyz', async (_request, reply) => {
    const readiness = readinessOf(lifecycle, snapshots.current, clock.monotonic())
    const body = { ...readiness, registry: registry.status().state }
    return reply.code(readiness.ready ? 200 : 503).send(body)
  })
  service.get('/metrics', async (_request, reply) =>
    reply.header('Content-Type', promRegistry.contentType).send(await promRegistry.metrics()),
  )
  service.get('/api/v1/edges', async () => ({ edges: edgeEntries(snapshots.current, clock.monotonic()) }))
  return service
}

export function edgeEntries({ topology, reports }: Snapshot, nowMs: number): EdgeEntry[] {
  return topology.edges.map((edge) => {
    const seen = reports[edge.index]
    return {
      id: edge.id,
      site: edge.siteId,
      url: edge.url,
      state: stateOf(seen, nowMs),
      ageMs: seen === undefined ? null : Math.round(ageOf(seen, nowMs)),
      report: seen?.report ?? null,
    }
  })
}
