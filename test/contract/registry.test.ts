// What every registry must do, however it is reached. Those in Redis run against real servers.
import t from 'tap'
import type { Test } from 'tap'
import { readFile } from 'node:fs/promises'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { RedisRegistry } from '../../scheduler/registry/redis.ts'
import { ageOf } from '../../scheduler/registry/registry.ts'
import type { Registry } from '../../scheduler/registry/registry.ts'
import { backgroundRunner } from '../../src/background.ts'
import { redisSchema } from '../../src/config/redis-schema.ts'
import { silentLogger } from '../../src/log.ts'
import { formatIp } from '../../src/net/ip.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { StillClock, reportOf } from '../kit/scheduler.ts'
import { startRedisCluster } from '../kit/redis-cluster.ts'
import { startSentinelSet } from '../kit/redis-sentinel.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

/** Opens registries that share what is stored, if anything is. */
type Opener = (clock: StillClock) => Promise<Registry>

function redisOpener(redis: unknown, ca?: string): Opener {
  const settings = redisSchema.parse(redis)
  return (clock) =>
    RedisRegistry.open({
      redis: { settings, ca },
      cluster: 'test',
      edges: ['gz-1', 'gz-2'],
      clock,
      log: silentLogger,
      background: backgroundRunner(silentLogger),
    })
}

const KINDS: Record<string, (t: TestScope) => Promise<Opener>> = {
  memory: async () => async (clock) => new MemoryRegistry(clock),
  redis: async (t) => redisOpener((await startRedis(t)).url),
  'redis with TLS and a password': async (t) => {
    const tls = await makeCertificate(await tempDirectory(t), 'redis')
    const password = 'p@ss word/1'
    const { url } = await startRedis(t, { tls, password })
    return redisOpener({ url, password }, await readFile(tls.certificate, 'utf8'))
  },
  'redis with a password in the URL, and a database': async (t) => {
    const password = 'p@ss word/1'
    const { url } = await startRedis(t, { password })
    return redisOpener(`${url.replace('//', `//:${encodeURIComponent(password)}@`)}/3`)
  },
  'redis sentinel': async (t) => redisOpener((await startSentinelSet(t)).settings),
  'redis cluster': async (t) => redisOpener((await startRedisCluster(t)).settings),
}

for (const [kind, start] of Object.entries(KINDS)) {
  t.test(`${kind}: reports`, async (t) => {
    const clock = new StillClock()
    const opener = await start(t)
    const registry = await opener(clock)
    t.teardown(() => registry.close())

    t.equal(registry.kind, kind === 'memory' ? 'memory' : 'redis')
    t.same(registry.status(), { state: 'healthy' })
    t.equal(registry.seen().size, 0, 'knows nothing at first')

    let changes = 0
    registry.onChange = () => changes++
    registry.record(reportOf('gz-1', { connections: 1 }))
    t.equal(changes, 1, 'tells of a change')
    const first = registry.seen()
    t.match(first.get('gz-1'), { report: { connections: 1 }, receivedAtMs: clock.nowMs, heldAtMs: null })
    t.equal(first.get('gz-2'), undefined)

    clock.pass(700)
    registry.record(reportOf('gz-2'))
    registry.record(reportOf('gz-1', { connections: 2, state: 'draining' }))
    const second = registry.seen()
    t.equal(first.size, 1, 'a view that was given out does not change')
    t.equal(first.get('gz-1')?.report.connections, 1)
    t.match(second.get('gz-1'), { report: { connections: 2, state: 'draining' }, receivedAtMs: clock.nowMs })
    t.equal(second.size, 2)

    const edges = ['gz-2', 'fra-1', 'gz-1'].map((id) => ({ id }))
    const placed = registry.seenBy(edges)
    t.same(placed, [second.get('gz-2'), undefined, second.get('gz-1')], 'by places')
    t.equal(registry.seenBy(edges), placed, 'the same list while nothing has changed')
    t.equal(registry.seenBy(edges.slice(1))[1], placed[2], 'of other places')
    registry.record(reportOf('fra-1'))
    t.same(
      registry.seenBy(edges).map((seen) => seen?.report.id),
      ['gz-2', 'fra-1', 'gz-1'],
      'another list after a change',
    )
    t.equal(placed[1], undefined)

    clock.pass(60_000)
    const silent = registry.seen().get('gz-2')
    t.ok(silent, 'a silent edge is remembered')
    if (silent !== undefined) t.equal(ageOf(silent, clock.nowMs), 60_000, 'with its age')

    registry.record(reportOf('gz-2'))
    t.equal(registry.seen().get('gz-2')?.receivedAtMs, clock.nowMs, 'and comes back with its next report')

    duplicates(t, registry, clock)
    await overrides(t, registry, clock)
    await alone(t, registry)
    if (kind === 'memory') return
    const other = await opener(clock)
    await shared(t, registry, other, clock)
    await together(t, registry, other)
  })
}

function duplicates(t: Test, registry: Registry, clock: StillClock): void {
  const say = (instance: string, uptimeMs: number) =>
    registry.record(reportOf('gz-2', { instance, uptimeMs }))
  clock.pass(5000)
  t.equal(say('old', 60_000), 'recorded')
  t.equal(say('new', 1000), 'recorded', 'a process that started later takes over')
  let changes = 0
  registry.onChange = () => changes++
  t.equal(say('old', 61_000), 'retired')
  t.equal(changes, 0, 'what is not taken changes nothing')
  t.equal(registry.seen().get('gz-2')?.report.instance, 'new')
  clock.pass(5000)
  t.equal(say('old', 66_000), 'recorded', 'and the earlier one when that is silent')
  clock.pass(60_000)
}

async function overrides(t: Test, registry: Registry, clock: StillClock): Promise<void> {
  const kept = registry.kind === 'memory' ? 'process' : 'store'
  t.equal(registry.overrides().size, 0, 'nothing is overridden at first')
  let changes = 0
  registry.onChange = () => changes++
  const setting = registry.setOverride('gz-1', { state: 'drain', reason: 'disk swap' })
  const expected = { state: 'drain', weight: 1, reason: 'disk swap', setAtMs: clock.now() }
  t.same(registry.overrides().get('gz-1'), expected, 'in force at once')
  t.ok(changes > 0, 'tells of it')
  t.equal(await setting, kept)
  const view = registry.seen()
  t.same(view.get('gz-1')?.override, expected, 'beside the report')
  t.notOk(view.get('gz-2')?.override)
  const placed = registry.seenBy([{ id: 'gz-1' }])
  t.same(placed[0]?.override, expected, 'by places too')

  t.equal(await registry.setOverride('gz-1', { weight: 0.5 }), kept)
  t.match(registry.overrides().get('gz-1'), { state: null, weight: 0.5, reason: '' }, 'replaced as a whole')
  registry.record(reportOf('gz-1', { connections: 9 }))
  t.match(
    registry.seen().get('gz-1'),
    { report: { connections: 9 }, override: { weight: 0.5 } },
    'outlives reports',
  )
  t.equal(view.get('gz-1')?.override?.state, 'drain', 'a view that was given out does not change')

  t.equal(await registry.setOverride('gz-1', null), kept)
  t.equal(registry.overrides().size, 0, 'taken back')
  t.notOk(registry.seen().get('gz-1')?.override)
  t.notOk(registry.seenBy([{ id: 'gz-1' }])[0]?.override)
}

async function shared(t: Test, one: Registry, other: Registry, clock: StillClock): Promise<void> {
  t.teardown(() => other.close())
  await until(
    'another scheduler sees what was reported here',
    () => other.seen().get('gz-1')?.report.connections === 9,
  )
  // The other's clock is behind: the later word wins all the same.
  await one.setOverride('gz-2', { state: 'down' })
  await until('the other has it', () => other.overrides().get('gz-2')?.state === 'down')
  clock.nowMs -= 500
  t.equal(await other.setOverride('gz-2', null), 'store')
  await until('the first has its removal', () => one.overrides().size === 0)
}

function namedBy(registry: Registry): string {
  return registry.schedulers().map(formatIp).join(' ')
}

async function alone(t: Test, registry: Registry): Promise<void> {
  t.equal(namedBy(registry), '', 'a scheduler that announced nothing is not named')
  registry.announce(['2001:db8::5', '192.0.2.5', '192.0.2.5'])
  const view = registry.schedulers()
  t.equal(namedBy(registry), '192.0.2.5 2001:db8::5', 'itself at once, each address once')
  registry.announce(['192.0.2.5'])
  t.equal(namedBy(registry), '192.0.2.5')
  t.equal(view.length, 2, 'a view that was given out does not change')
  await registry.withdraw()
  t.equal(namedBy(registry), '192.0.2.5', 'who drains alone is named to the end')
}

async function together(t: Test, one: Registry, other: Registry): Promise<void> {
  one.announce(['192.0.2.5'])
  other.announce(['192.0.2.6', '192.0.2.5'])
  const both = '192.0.2.5 192.0.2.6'
  t.equal(namedBy(other), both, 'an address of two schedulers is there once')
  other.announce(['192.0.2.6'])
  // Found by its id, then asked for: two reads.
  await until('both name both', () => namedBy(one) === both && namedBy(other) === both)
  await other.withdraw()
  t.equal(namedBy(other), '192.0.2.5', 'who drains names the others alone')
  await until('the others no longer name it', () => namedBy(one) === '192.0.2.5')
  other.announce(['192.0.2.7'])
  await until('it is back', () => namedBy(one) === '192.0.2.5 192.0.2.7')
  await other.close()
  await until('who closes is gone', () => namedBy(one) === '192.0.2.5')
}
