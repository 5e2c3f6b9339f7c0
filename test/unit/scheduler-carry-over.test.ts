// What a scheduler knows when its configuration is replaced: edges keep what was known of them wherever their places
// have moved to, and those that are gone leave nothing behind.
import { createServer } from 'node:http'
import { once } from 'node:events'
import t from 'tap'
import { DemandTracker } from '../../scheduler/choose/demand.ts'
import { Probes } from '../../scheduler/health/probes.ts'
import { FleetJudge } from '../../scheduler/health/fleet.ts'
import { DOWN_AFTER_MS, SUSPECT_AFTER_MS } from '../../scheduler/limits.ts'
import { placesBefore } from '../../scheduler/places-before.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { seenByPlace } from '../../scheduler/registry/registry.ts'
import { SnapshotHolder } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { Topology } from '../../scheduler/topology.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/log.ts'
import { EDGE_FIELD } from '../../src/wire/health.ts'
import { hash64 } from '../../src/rendezvous.ts'
import { freePort } from '../kit/ports.ts'
import { StillClock, edgeEntry, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import { uniformPlaces } from '../kit/made-places.ts'
import { until } from '../kit/until.ts'

function topologyOf(ids: readonly string[], over: Record<string, unknown> = {}): Topology {
  return buildTopology(
    schedulerSettings({
      sites: [{ id: 'here' }],
      edges: ids.map((id) => edgeEntry(id, 'here', over)),
      properties: [{ id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] }],
    }),
  )
}

const BEFORE = topologyOf(['a', 'b', 'c', 'd'])
const AFTER = topologyOf(['new', 'd', 'c', 'b'])

t.test('places by id', async (t) => {
  t.same(placesBefore(AFTER.edges, BEFORE.edges), [undefined, 3, 2, 1])
})

t.test('a mass failure that is held stays held', async (t) => {
  const clock = new StillClock()
  const registry = new MemoryRegistry(clock)
  const judge = new FleetJudge(BEFORE.edges)
  const seenBy = ({ edges }: Topology) => seenByPlace(edges, registry.seen())
  for (const id of ['a', 'b', 'c', 'd']) registry.record(reportOf(id))
  judge.judge(seenBy(BEFORE), [], clock.monotonic())
  clock.pass(SUSPECT_AFTER_MS + 1)
  t.match(judge.judge(seenBy(BEFORE), [], clock.monotonic()).changes, [{ change: 'begins', edges: 4 }])
  registry.setEdges(['new', 'd', 'c', 'b'])
  clock.pass(DOWN_AFTER_MS)
  const moved = new FleetJudge(AFTER.edges, judge)
  const { findings, changes } = moved.judge(seenBy(AFTER), [], clock.monotonic())
  t.same([...findings.heldReports], [1, 2, 3], 'at their places of now')
  t.same(changes, [], 'nothing is said anew')
})

t.test('how edges stood, and what was sent to them', async (t) => {
  const clock = new StillClock()
  const registry = new MemoryRegistry(clock)
  const deps = { clock, log: silentLogger, probes: null }
  for (const [i, id] of ['a', 'b', 'c', 'd'].entries()) {
    registry.record(reportOf(id, { connections: 1000 * i }))
  }
  const before = new SnapshotHolder(BEFORE, uniformPlaces(), registry, deps)
  const demand = DemandTracker.of(BEFORE)
  const [site, d, property] = [BEFORE.sites[0], BEFORE.edges[3], BEFORE.allProperties[0]]
  if (site === undefined || d === undefined || property === undefined) throw new Error('no cluster')
  const key = hash64('shows/a/')
  for (let i = 0; i < 5; i++) demand.note({ key, property }, site, d, clock.monotonic())
  registry.setEdges(['new', 'd', 'c', 'b'])
  const after = new SnapshotHolder(AFTER, uniformPlaces(), registry, deps, before)
  before.close()
  t.teardown(() => after.close())
  t.same(
    after.current.health.map((health) => health?.seen.report.id),
    [undefined, 'd', 'c', 'b'],
  )
  t.same(
    after.current.reports.map((seen) => seen?.report.connections),
    [undefined, 3000, 2000, 1000],
  )
  t.notOk(registry.seen().has('a'), 'who is gone is forgotten')

  const moved = demand.movedTo(AFTER, BEFORE)
  const nowMs = clock.monotonic()
  const [newSite, [, sameEdge, other], sameProperty] = [AFTER.sites[0], AFTER.edges, AFTER.allProperties[0]]
  if (newSite === undefined || sameEdge === undefined || other === undefined || sameProperty === undefined)
    throw new Error('no cluster')
  t.equal(moved.sessionsOn(sameEdge.index, nowMs), 5)
  t.equal(moved.sessionsOn(other.index, nowMs), 0)
  t.equal(moved.sessionsAt(newSite, nowMs), 5)
  t.ok(moved.propertyBitRate(sameProperty, nowMs) > 0)
  t.equal(moved.assetRate(key, newSite, nowMs), demand.assetRate(key, site, nowMs))

  let told = 0
  after.onReplace = () => told++
  registry.record(reportOf('new'))
  await until('the new one is told of reports, though the old one has closed', () => told > 0)
  t.equal(after.current.reports[0]?.report.id, 'new')
})

t.test('what probes found holds on at the same address', async (t) => {
  const server = createServer((_request, response) => response.setHeader(EDGE_FIELD, 'b').end())
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${port}`
  const open = (ids: readonly string[], before?: Probes) => {
    const probes = new Probes(
      {
        edges: topologyOf(ids, { url }).edges.slice(0, 1),
        everyMs: 100_000,
        timeoutMs: 1000,
        clock: systemClock,
        log: silentLogger,
        background: backgroundRunner(silentLogger),
        heard: () => new Map([['b', true]]),
        onProbe: () => {},
      },
      before,
    )
    t.teardown(() => probes.close())
    return probes
  }
  const probes = open(['b'])
  await until('it is reached', () => probes.reach[0]?.[4] === 'reachable')
  t.equal(open(['b'], probes).reach[0]?.[4], 'reachable')
  t.equal(open(['c'], probes).reach[0]?.[4], 'unknown', 'another edge is another')
})
