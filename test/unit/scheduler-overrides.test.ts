// Overrides before they reach any store: which of two wins, what the admin listener takes, and from whom.
import t from 'tap'
import { NO_DEMAND } from '../../scheduler/choose/demand.ts'
import { MemoryEventLog } from '../../scheduler/events/memory-log.ts'
import { explainer } from '../../scheduler/explaining.ts'
import { createAdmin } from '../../scheduler/admin/admin.ts'
import { createSchedulerMetrics } from '../../scheduler/admin/metrics.ts'
import { stateOf } from '../../scheduler/health/liveness.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { isNewer, nextOverride, overrideIn, parseStoredOverride } from '../../scheduler/registry/overrides.ts'
import { RedisOverrides } from '../../scheduler/registry/redis-overrides.ts'
import { SnapshotHolder } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { silentLogger } from '../../src/log.ts'
import { createMetricsRegistry } from '../../src/metrics.ts'
import { memoryPrefetches } from '../kit/prefetches.ts'
import { StillClock, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { uniformPlaces } from '../kit/made-places.ts'

function adminOf(t: TestScope) {
  const clock = new StillClock()
  const registry = new MemoryRegistry(clock)
  const snapshots = new SnapshotHolder(buildTopology(schedulerSettings()), uniformPlaces(), registry, {
    clock,
    log: silentLogger,
    probes: null,
  })
  t.teardown(() => snapshots.close())
  const promRegistry = createMetricsRegistry()
  createSchedulerMetrics(promRegistry, { snapshots, registry, clock })
  const lifecycle = { listeningSinceMs: clock.nowMs, draining: false }
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
  return { clock, registry, service }
}

const URL = '/api/v1/edges/gz-1/override'

t.test('PUT sets, DELETE takes back; edges and metrics show it', async (t) => {
  const { service, registry, clock } = adminOf(t)
  registry.record(reportOf('gz-1'))
  const set = await service.inject({ method: 'PUT', url: URL, payload: { state: 'down', weight: 2 } })
  const override = { state: 'down', weight: 2, reason: '', setAtMs: clock.now() }
  t.same([set.statusCode, set.json()], [200, { edge: 'gz-1', override, kept: 'process' }])
  t.equal(stateOf(registry.seen().get('gz-1'), clock.nowMs), 'down', 'at once, though it reports')
  t.match((await service.inject({ url: '/api/v1/edges' })).json().edges, [{ id: 'gz-1', override }])
  const metrics = (await service.inject({ url: '/metrics' })).body
  for (const [kind, count] of Object.entries({ drain: 0, down: 1, weight: 1 })) {
    t.ok(metrics.includes(`edgeward_scheduler_overrides{kind="${kind}"} ${count}\n`), kind)
  }
  const removed = await service.inject({ method: 'DELETE', url: URL })
  t.same(removed.json(), { edge: 'gz-1', override: null, kept: 'process' })
  t.equal((await service.inject({ method: 'DELETE', url: URL })).statusCode, 200, 'again is no error')
  t.equal(stateOf(registry.seen().get('gz-1'), clock.nowMs), 'up')
})

t.test('what is wrong with an override is said, and nothing is set', async (t) => {
  const { service, registry } = adminOf(t)
  const bad: [unknown, RegExp][] = [
    [{}, /override: needs a state or a weight/],
    [{ state: 'up' }, /state: /],
    [{ weight: 0 }, /weight: /],
    [{ weight: 1e9 }, /weight: /],
    [{ weight: null }, /weight: /],
    [{ weight: 2, colour: 'red' }, /colour/],
    [{ state: 'drain', reason: 'bell \u0007' }, /reason: must not hold control characters/],
    [{ state: 'drain', reason: 'x'.repeat(201) }, /reason: /],
    [[], /override: /],
  ]
  for (const [payload, message] of bad) {
    const answer = await service.inject({
      method: 'PUT',
      url: URL,
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify(payload),
    })
    t.equal(answer.statusCode, 400, JSON.stringify(payload))
    t.match(answer.json().message, message)
  }
  const large = await service.inject({ method: 'PUT', url: URL, payload: { reason: 'x'.repeat(3000) } })
  t.equal(large.statusCode, 413)
  const unknown = await service.inject({
    method: 'PUT',
    url: '/api/v1/edges/gz-9/override',
    payload: { state: 'drain' },
  })
  t.match([unknown.statusCode, unknown.json()], [404, { error: 'unknown-edge' }])
  t.equal(registry.overrides().size, 0)
})

t.test('no change from elsewhere, nor from a page in a browser', async (t) => {
  const { service, registry } = adminOf(t)
  const drain = { method: 'PUT' as const, url: URL, payload: { state: 'drain' } }
  const elsewhere = await service.inject({ ...drain, remoteAddress: '203.0.113.9' })
  t.match([elsewhere.statusCode, elsewhere.json()], [403, { error: 'not-loopback' }])
  for (const headers of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'same-origin' }]) {
    const page = await service.inject({ ...drain, headers })
    t.match([page.statusCode, page.json()], [403, { error: 'browser' }])
  }
  t.equal((await service.inject({ ...drain, method: 'DELETE', remoteAddress: '::2' })).statusCode, 403)
  t.equal(registry.overrides().size, 0)
  for (const remoteAddress of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    t.equal((await service.inject({ ...drain, remoteAddress })).statusCode, 200, remoteAddress)
  }
})

t.test('the later word wins wherever it was said, and a removal is one', async (t) => {
  const drained = nextOverride(undefined, { state: 'drain' }, 'a', 5000)
  const removed = nextOverride(drained, null, 'b', 10)
  t.ok(isNewer(removed, drained), 'though the clock of the second scheduler is behind')
  t.equal(overrideIn(removed), undefined)
  t.notOk(isNewer(drained, drained))
  const twins = [nextOverride(drained, null, 'a', 1), nextOverride(drained, { weight: 2 }, 'b', 1)] as const
  t.same([isNewer(...twins), isNewer(twins[1], twins[0])], [false, true], 'a tie has one winner')

  const known = new RedisOverrides('a', ['gz-1'])
  known.set('gz-1', { state: 'drain' }, 5000)
  known.set('gz-1', null, 5001)
  t.ok(known.takeStored({ 'gz-1': JSON.stringify(drained) }), 'a store that missed the removal is told')
  t.equal(known.active.size, 0)
  const [entry] = known.unwritten()
  known.set('gz-1', { weight: 3 }, 5002)
  if (entry !== undefined) known.written([entry])
  t.notOk(known.isWritten('gz-1'), 'what changed while it was written is still to be written')
  known.takeStored({ 'gz-1': JSON.stringify({ ...drained, revision: 9000 }), 'gz-9': 'x' })
  t.equal(known.active.get('gz-1')?.state, 'drain', 'newer in the store')
  t.same([...known.active.keys()], ['gz-1'], 'other edges are none of ours')
  t.notOk(known.hasUnwritten)
})

t.test('a stored text that is none is as if it were missing', async (t) => {
  const good = nextOverride(undefined, { state: 'down' }, 'a', 5000)
  t.same(parseStoredOverride(JSON.stringify(good)), good)
  for (const over of [
    { revision: 1e300 },
    { revision: '5' },
    { state: 'up' },
    { weight: -1 },
    { by: null },
  ]) {
    t.equal(parseStoredOverride(JSON.stringify({ ...good, ...over })), undefined, JSON.stringify(over))
  }
  for (const text of ['', 'null', '[]', '{', '5']) t.equal(parseStoredOverride(text), undefined, text)
})
