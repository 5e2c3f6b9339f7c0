// The admin listener: readiness, edges, metrics.
import t from 'tap'
import { createMetricsRegistry } from '../../src/metrics.ts'
import { NO_DEMAND } from '../../scheduler/choose/demand.ts'
import { MemoryEventLog } from '../../scheduler/events/memory-log.ts'
import { explainer } from '../../scheduler/explaining.ts'
import { createAdmin } from '../../scheduler/admin/admin.ts'
import { createSchedulerMetrics } from '../../scheduler/admin/metrics.ts'
import type { Lifecycle } from '../../scheduler/admin/readiness.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { SnapshotHolder } from '../../scheduler/snapshot.ts'
import { steer } from '../../scheduler/steer-flow.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { silentLogger } from '../../src/log.ts'
import { memoryPrefetches } from '../kit/prefetches.ts'
import { StillClock, queryFor, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { uniformPlaces } from '../kit/made-places.ts'
import { until } from '../kit/until.ts'

function adminOf(t: TestScope) {
  const clock = new StillClock()
  const registry = new MemoryRegistry(clock)
  const topology = buildTopology(schedulerSettings())
  const snapshots = new SnapshotHolder(topology, uniformPlaces(), registry, {
    clock,
    log: silentLogger,
    probes: null,
  })
  t.teardown(() => snapshots.close())
  const promRegistry = createMetricsRegistry()
  const metrics = createSchedulerMetrics(promRegistry, { snapshots, registry, clock })
  const lifecycle: Lifecycle = { listeningSinceMs: null, draining: false }
  const service = createAdmin({
    cluster: 'test',
    promRegistry,
    snapshots,
    registry,
    events: new MemoryEventLog(clock),
    prefetches: memoryPrefetches(clock, snapshots),
    explain: explainer({ snapshots, demand: NO_DEMAND, clock }),
    explainDns: null,
    lifecycle,
    clock,
    log: silentLogger,
  })
  t.teardown(() => service.close())
  /** Records a report and waits until the snapshot has it. */
  const report = async (...args: Parameters<typeof reportOf>) => {
    const before = snapshots.current
    registry.record(reportOf(...args))
    await until('the snapshot is rebuilt', () => snapshots.current !== before)
  }
  const ready = async () => {
    const answer = await service.inject({ url: '/readyz' })
    return [answer.statusCode, answer.json().reason]
  }
  return { clock, lifecycle, service, report, ready, metrics, snapshots }
}

t.test('ready when an edge takes clients, or when every edge could have reported', async (t) => {
  const { clock, lifecycle, report, ready, service } = adminOf(t)
  t.same(await ready(), [503, 'starting'])
  lifecycle.listeningSinceMs = clock.nowMs
  t.same(await ready(), [503, 'no-reports-yet'])
  clock.pass(5000)
  t.same(await ready(), [503, 'no-reports-yet'])
  await report('gz-1', { state: 'draining' })
  t.same(await ready(), [503, 'no-reports-yet'], 'a draining edge takes no client')
  await report('gz-1')
  t.same(await ready(), [200, undefined])
  clock.pass(10_000)
  t.same(await ready(), [200, undefined], 'an edge lost later is not the scheduler’s fault')
  lifecycle.draining = true
  t.same(await ready(), [503, 'draining'])
  t.equal((await service.inject({ url: '/healthz' })).statusCode, 200)
})

t.test('without any report it is ready once the time for the first is over', async (t) => {
  const { clock, lifecycle, ready } = adminOf(t)
  lifecycle.listeningSinceMs = clock.nowMs
  clock.pass(5001)
  t.same(await ready(), [200, undefined])
})

t.test('edges with state, age and last report', async (t) => {
  const { clock, service, report } = adminOf(t)
  await report('gz-1', { connections: 3 })
  clock.pass(4000)
  await report('fra-1', { state: 'degraded' })
  const { edges } = (await service.inject({ url: '/api/v1/edges' })).json()
  t.match(edges, [
    { id: 'gz-1', site: 'guangzhou', state: 'suspect', ageMs: 4000, report: { connections: 3 } },
    { id: 'gz-2', site: 'guangzhou', state: 'down', ageMs: null, report: null },
    { id: 'fra-1', site: 'frankfurt', state: 'degraded', ageMs: 0, report: { state: 'degraded' } },
  ])
  t.equal(edges[0].url, 'http://gz-1.edges.example.com')
})

t.test('metrics use the words of the outcomes', async (t) => {
  const { service, report, metrics, snapshots, clock } = adminOf(t)
  await report('gz-1')
  for (const [host, seconds] of [
    ['shows.example.com', 20e-6],
    ['x', 5e-6],
  ] as const) {
    const { answer, property, location } = steer(queryFor({ host }), snapshots.current, clock.nowMs)
    metrics.answered(answer.outcome, property, location?.source, seconds)
  }
  const answer = await service.inject({ url: '/metrics' })
  t.match(answer.headers['content-type'], /^text\/plain/)
  for (const line of [
    'edgeward_scheduler_answers_total{outcome="redirect",property="shows"} 1',
    'edgeward_scheduler_answers_total{outcome="unknown-host",property=""} 1',
    'edgeward_scheduler_locations_total{source="coverage"} 1',
    'edgeward_scheduler_decision_seconds_count 2',
    'edgeward_scheduler_edges{state="up"} 1',
    'edgeward_scheduler_edges{state="down"} 2',
    'edgeward_scheduler_registry_held 0',
    'edgeward_scheduler_build_info{version="0.1.0",registry="memory"} 1',
  ]) {
    t.ok(answer.body.includes(`${line}\n`), line)
  }
})

t.test('unknown routes and other methods', async (t) => {
  const { service } = adminOf(t)
  t.equal((await service.inject({ url: '/api/v1/other' })).statusCode, 404)
  t.equal((await service.inject({ method: 'POST', url: '/api/v1/edges', payload: '{}' })).statusCode, 404)
  t.equal((await service.inject({ method: 'HEAD', url: '/readyz' })).body, '')
})
