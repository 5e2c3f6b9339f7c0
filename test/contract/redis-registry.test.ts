// The registry that schedulers share: they see each other's edges, and a Redis that is slow, dead, restarted
// or flushed takes no edge away from any of them.
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t from 'tap'
import { stateOf } from '../../scheduler/health/liveness.ts'
import { DOWN_AFTER_MS, REGISTRY_GRACE_MS } from '../../scheduler/limits.ts'
import { RedisRegistry } from '../../scheduler/registry/redis.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/log.ts'
import { reportOf } from '../kit/scheduler.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { RedisServer } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

t.jobs = 4

async function open(t: TestScope, { url }: RedisServer, cluster = 'test'): Promise<RedisRegistry> {
  const registry = await RedisRegistry.open({
    redis: { settings: url },
    cluster,
    edges: ['gz-1', 'fra-1'],
    clock: systemClock,
    log: silentLogger,
    background: backgroundRunner(silentLogger),
  })
  t.teardown(() => registry.close())
  return registry
}

/** Reports as an edge does, five times as often. */
function keepReporting(t: TestScope, registry: RedisRegistry, id: string): () => void {
  registry.record(reportOf(id))
  let uptimeMs = 0
  const timer = setInterval(() => registry.record(reportOf(id, { uptimeMs: (uptimeMs += 200) })), 200)
  t.teardown(() => clearInterval(timer))
  return () => clearInterval(timer)
}

function stateIn(registry: RedisRegistry, id: string): string {
  return stateOf(registry.seen().get(id), systemClock.monotonic())
}

t.test('two schedulers see each other’s edges within a second', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis), await open(t, redis)]
  const other = await open(t, redis, 'another-cluster')
  a.record(reportOf('gz-1', { connections: 7 }))
  b.record(reportOf('fra-1', { state: 'draining' }))
  await until('b sees gz-1', () => b.seen().get('gz-1')?.report.connections === 7)
  await until('a sees fra-1', () => stateIn(a, 'fra-1') === 'draining')
  t.equal(other.seen().size, 0, 'another cluster on the same Redis does not')

  const late = await open(t, redis)
  t.equal(late.seen().get('gz-1')?.report.connections, 7, 'a scheduler that starts knows them at once')
})

t.test('the freshest report wins, wherever it arrived', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis), await open(t, redis)]
  a.record(reportOf('gz-1', { connections: 1 }))
  await until('b sees it', () => b.seen().get('gz-1')?.report.connections === 1)
  b.record(reportOf('gz-1', { connections: 2 }))
  t.equal(b.seen().get('gz-1')?.report.connections, 2)
  await until('a sees the fresher', () => a.seen().get('gz-1')?.report.connections === 2)
})

t.test('a lifetime that is made longer keeps no dead edge alive', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = new Redis(redis.url)
  t.teardown(() => client.disconnect())
  const stored = JSON.stringify({ by: 'another', report: reportOf('gz-1', { uptimeMs: 1e300 }) })
  await client.set('edgeward:{test}:edge:gz-1', stored, 'PX', 5000)
  const registry = await open(t, redis)
  t.equal(stateIn(registry, 'gz-1'), 'up')
  await client.pexpire('edgeward:{test}:edge:gz-1', 3_600_000)
  await until('it ages', () => stateIn(registry, 'gz-1') === 'down', 7000)
  t.equal(registry.status().state, 'healthy')
})

t.test('two processes of one edge, each at its own scheduler', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis), await open(t, redis)]
  const startedMs = systemClock.monotonic()
  /** Reports now, as a process that was that old at first. */
  const say = (registry: RedisRegistry, instance: string, ageMs: number) => {
    const uptimeMs = systemClock.monotonic() - startedMs + ageMs
    return registry.record(reportOf('gz-1', { instance, uptimeMs }))
  }
  // In step, so that only a write can see what the other wrote just before it.
  const results: Record<string, string[]> = { old: [], new: [] }
  const timer = setInterval(() => {
    results['new']?.push(say(b, 'new', 0))
    results['old']?.push(say(a, 'old', 60_000))
  }, 250)
  t.teardown(() => clearInterval(timer))
  await until('the earlier one is refused', () => results['old']?.includes('retired'))
  const shown = new Set<string | undefined>()
  await until('ten times more', () => {
    for (const registry of [a, b]) shown.add(registry.seen().get('gz-1')?.report.instance)
    return (
      results['old']?.slice(-10).every((result) => result === 'retired') === true &&
      results['old'].length > 10
    )
  })
  t.same(new Set(results['new']), new Set(['recorded']), 'the later one never')
  t.same([...shown], ['new'], 'it is what both schedulers see')
  const late = await open(t, redis)
  t.equal(say(late, 'old', 60_000), 'retired', 'a scheduler that starts knows at once')

  clearInterval(timer)
  const silentMs = systemClock.monotonic()
  await until('the later one is silent for five seconds', () => say(a, 'old', 60_000) === 'recorded')
  const took = systemClock.monotonic() - silentMs
  // A report's life, and what reads and a busy machine add.
  t.ok(took > 4500 && took < 8000, `${took} ms`)
})

t.test('the age is taken from the lifetime that is left, not from a clock', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = new Redis(redis.url)
  t.teardown(() => client.disconnect())
  const stored = JSON.stringify({ by: 'another', report: reportOf('gz-1') })
  await client.set('edgeward:{test}:edge:gz-1', stored, 'PX', 1500)
  const registry = await open(t, redis)
  t.equal(stateIn(registry, 'gz-1'), 'suspect', 'three and a half seconds old')
  await until('it expires', () => stateIn(registry, 'gz-1') === 'down')
})

t.test('unreadable values are ignored', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = new Redis(redis.url)
  t.teardown(() => client.disconnect())
  const key = 'edgeward:{test}:edge:gz-1'
  const report = reportOf('gz-1')
  const values = [
    'not json',
    '{}',
    JSON.stringify({ by: 'x', report: { ...report, state: 'well' } }),
    JSON.stringify({ by: 'x', report: reportOf('fra-1') }),
  ]
  for (const value of values) {
    await client.set(key, value, 'PX', 5000)
    const registry = await open(t, redis)
    t.same([...registry.seen()], [], value)
    t.equal(registry.status().state, 'healthy')
  }
  await client.set(key, JSON.stringify({ by: 'x', report }))
  t.same([...(await open(t, redis)).seen()], [], 'without a lifetime a report has no age')
  await client.set(key, JSON.stringify({ by: 'x', report }), 'PX', 86_400_000)
  t.same([...(await open(t, redis)).seen()], [], 'nor with a longer one than any scheduler gives it')
  await client.del(key)
  await client.lpush(key, 'a list')
  t.equal((await open(t, redis)).status().state, 'held', 'a key of another type is a failed read')
})

t.test(
  'Redis killed: what is known is held; restarted empty: the next reports heal it',
  { buffered: true },
  async (t) => {
    const redis = await startRedis(t)
    const [a, b] = [await open(t, redis), await open(t, redis)]
    const stopGz = keepReporting(t, a, 'gz-1')
    keepReporting(t, b, 'fra-1')
    await until('both see both', () => a.seen().size === 2 && b.seen().size === 2)

    await redis.kill()
    await until('both notice', () => a.status().state === 'held' && b.status().state === 'held')
    // Longer than a report lives: only what is held can still be up.
    const lostAtMs = systemClock.monotonic()
    await until('six seconds have passed', () => systemClock.monotonic() - lostAtMs > 6000)
    t.equal(stateIn(a, 'fra-1'), 'up', 'a keeps b’s edge')
    t.equal(stateIn(b, 'gz-1'), 'up', 'b keeps a’s edge')
    t.equal(stateIn(a, 'gz-1'), 'up', 'own edges go on as ever')

    await redis.start()
    const states = () => [stateIn(a, 'gz-1'), stateIn(a, 'fra-1'), stateIn(b, 'gz-1'), stateIn(b, 'fra-1')]
    const seen = new Set<string>()
    await until('both read again', () => {
      for (const state of states()) seen.add(state)
      return a.status().state === 'healthy' && b.status().state === 'healthy'
    })
    await until('news come again', () => {
      for (const state of states()) seen.add(state)
      const age = systemClock.monotonic() - (b.seen().get('gz-1')?.receivedAtMs ?? 0)
      return b.seen().get('gz-1')?.heldAtMs === null && age < 400
    })
    t.same([...seen], ['up'], 'no edge was ever anything but up')

    stopGz()
    await until('an edge that stops is down', () => stateIn(b, 'gz-1') === 'down', 8000)
  },
)

t.test('an edge’s own silence is not held', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const registry = await open(t, redis)
  registry.record(reportOf('gz-1'))
  await until('the echo was read', async () => {
    const client = new Redis(redis.url)
    const left = await client.pttl('edgeward:{test}:edge:gz-1')
    client.disconnect()
    return left > 0 && left < 4400
  })
  await redis.kill()
  await until('it ages', () => stateIn(registry, 'gz-1') === 'down', 8000)
  t.equal(registry.status().state, 'held')
})

t.test('Redis that stands still is dropped, and nothing waits for it', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis), await open(t, redis)]
  keepReporting(t, a, 'gz-1')
  await until('b sees gz-1', () => b.seen().has('gz-1'))
  redis.pause()
  t.teardown(() => redis.resume())
  await until('b notices', () => b.status().state === 'held')
  const startedMs = systemClock.monotonic()
  for (let i = 0; i < 1000; i++) b.record(reportOf('fra-1', { connections: i }))
  t.ok(systemClock.monotonic() - startedMs < 500, 'recording does not wait')
  t.equal(b.seen().get('fra-1')?.report.connections, 999)
  redis.resume()
  await until('a sees the newest', () => a.seen().get('fra-1')?.report.connections === 999)
  await until('b reads again', () => b.status().state === 'healthy')
})

t.test(
  'a report that came while a write was under way is written after it',
  { buffered: true },
  async (t) => {
    const redis = await startRedis(t)
    const [a, b] = [await open(t, redis), await open(t, redis)]
    redis.pause()
    t.teardown(() => redis.resume())
    b.record(reportOf('fra-1', { connections: 1 }))
    await delay(200)
    b.record(reportOf('fra-1', { connections: 2 }))
    await delay(200)
    redis.resume()
    await until('a sees the newest', () => a.seen().get('fra-1')?.report.connections === 2)
  },
)

t.test('flushed, every edge stays', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis), await open(t, redis)]
  keepReporting(t, a, 'gz-1')
  await until('b sees gz-1', () => b.seen().has('gz-1'))
  const client = new Redis(redis.url)
  t.teardown(() => client.disconnect())
  const seen = new Set<string>()
  await client.flushall()
  await until('it is written again', async () => {
    seen.add(stateIn(b, 'gz-1'))
    return (await client.exists('edgeward:{test}:edge:gz-1')) === 1
  })
  t.same([...seen], ['up'])
})

t.test('a start without Redis goes on without, and finds it later', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  await redis.kill()
  const registry = await open(t, redis)
  t.match(registry.status(), { state: 'held', reason: /ECONNREFUSED|lost/ })
  registry.record(reportOf('gz-1'))
  t.equal(stateIn(registry, 'gz-1'), 'up')
  await redis.start()
  await until('it is found', () => registry.status().state === 'healthy')
})

t.test(
  'a Redis that takes no writes is no news either: others cannot write theirs',
  { buffered: true },
  async (t) => {
    const redis = await startRedis(t)
    const [a, b] = [await open(t, redis), await open(t, redis)]
    keepReporting(t, a, 'gz-1')
    await until('b sees gz-1', () => b.seen().has('gz-1'))
    const client = redis.client(t)
    await client.config('SET', 'maxmemory', '1')
    await until('both notice', () => a.status().state === 'held' && b.status().state === 'held')
    t.match(b.status(), { reason: /OOM/ })
    const fullAtMs = systemClock.monotonic()
    await until('longer than a report lives', () => systemClock.monotonic() - fullAtMs > 5500)
    t.equal(await client.exists('edgeward:{test}:edge:gz-1'), 0, 'the stored report is gone')
    t.equal(stateIn(b, 'gz-1'), 'up', 'the edge is not')
    await client.config('SET', 'maxmemory', '0')
    await until('b reads again', () => b.status().state === 'healthy')

    await client.replicaof('127.0.0.1', '1')
    await until('b holds', () => b.status().state === 'held')
    t.match(b.status(), { reason: /READONLY|lost/ })
    await client.replicaof('NO', 'ONE')
    await until('b reads once more', () => b.status().state === 'healthy')
  },
)

t.test(
  'an edge that dies while Redis is away is down in time when it is back',
  { buffered: true },
  async (t) => {
    const redis = await startRedis(t)
    const [a, b] = [await open(t, redis), await open(t, redis)]
    const stop = keepReporting(t, a, 'gz-1')
    await until('b sees gz-1', () => b.seen().has('gz-1'))
    await redis.kill()
    await until('b holds', () => b.status().state === 'held')
    stop()
    await redis.start()
    await until('b reads again', () => b.status().state === 'healthy')
    const backAtMs = systemClock.monotonic()
    await until('it is down', () => stateIn(b, 'gz-1') === 'down', 20_000)
    const tookMs = systemClock.monotonic() - backAtMs
    t.ok(tookMs < REGISTRY_GRACE_MS + DOWN_AFTER_MS + 3000, `grace, and the life of a report: ${tookMs} ms`)
  },
)
