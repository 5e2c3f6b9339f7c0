// What every store of configuration versions must do, in memory or in Redis. Those in Redis run against real servers.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { CONFIG_PACKED_BYTES_MAX, CONFIG_VERSIONS_KEPT } from '../../scheduler/limits.ts'
import { MemoryVersions } from '../../scheduler/rollout/memory-versions.ts'
import { packSource } from '../../scheduler/rollout/packed-source.ts'
import { RedisVersions } from '../../scheduler/rollout/redis-versions.ts'
import { NotKeptError } from '../../scheduler/rollout/version-store.ts'
import type { NewVersion, VersionStore } from '../../scheduler/rollout/version-store.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { redisSchema } from '../../src/config/redis-schema.ts'
import { silentLogger } from '../../src/log.ts'
import { startRedisCluster } from '../kit/redis-cluster.ts'
import { startSentinelSet } from '../kit/redis-sentinel.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { RedisServer } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

/** Opens stores that share what is kept, if anything is. */
type Opener = () => Promise<VersionStore>

function redisOpener(redis: unknown): Opener {
  const settings = redisSchema.parse(redis)
  return () =>
    RedisVersions.open({
      redis: { settings },
      cluster: 'test',
      clock: systemClock,
      log: silentLogger,
      background: backgroundRunner(silentLogger),
    })
}

const KINDS: Record<string, (t: TestScope) => Promise<Opener>> = {
  memory: async () => async () => new MemoryVersions(systemClock),
  redis: async (t) => redisOpener((await startRedis(t)).url),
  'redis sentinel': async (t) => redisOpener((await startSentinelSet(t)).settings),
  'redis cluster': async (t) => redisOpener((await startRedisCluster(t)).settings),
}

const versionOf = (hash: string): NewVersion => ({
  hash,
  by: 'api',
  rollbackTo: null,
  edgeVersion: `e-${hash}`,
})
const packed = (text: string) => packSource({ text, files: new Map([['net.txt', Buffer.from(text)]]) })
const numbersOf = (store: VersionStore) => store.versions()?.map(({ number }) => number)

function append(store: VersionStore, name: string) {
  return store.append(versionOf(name), packed(name), store.versions()?.at(-1)?.number ?? 0)
}

for (const [kind, start] of Object.entries(KINDS)) {
  t.test(kind, async (t) => {
    const opener = await start(t)
    const store = await open(t, opener)
    await order(t, store)
    if (kind !== 'memory') await shared(t, store, await open(t, opener))
    await overflow(t, store)
  })
}

async function open(t: TestScope, opener: Opener): Promise<VersionStore> {
  const store = await opener()
  t.teardown(() => store.close())
  return store
}

async function order(t: Test, store: VersionStore): Promise<void> {
  t.same(store.versions(), [], 'nothing yet')
  t.equal(store.sourceOf(1), undefined)
  const one = await append(store, 'one')
  t.match(one, { ...versionOf('one'), number: 1 })
  t.ok(Math.abs((one?.atMs ?? 0) - systemClock.now()) < 10_000, 'with its time')
  const two = await append(store, 'two')
  t.same(store.versions(), [one, two])
  t.equal(await store.append(versionOf('late'), packed('late'), 1), null, 'another came first')
  t.same(store.versions(), [one, two], 'and stays')
  const kept = store.sourceOf(1)
  t.equal(kept?.text, 'one')
  t.same(kept?.files.get('net.txt')?.content, Buffer.from('one'))
}

async function shared(t: Test, one: VersionStore, other: VersionStore): Promise<void> {
  t.same(other.versions(), one.versions(), 'a scheduler that starts knows them')
  t.equal(other.sourceOf(2)?.text, 'two', 'with what they were made from')
  let told = 0
  other.onChange = () => told++
  const three = await append(one, 'three')
  await other.refresh()
  t.equal(told, 1, 'who looks is told')
  t.same(other.versions()?.at(-1), three)
  await other.refresh()
  t.equal(told, 1, 'once')
  const racing = await Promise.all([append(one, 'four'), append(other, 'five')])
  t.equal(racing.filter((appended) => appended !== null).length, 1, 'of two at once one is first')
  await Promise.all([one.refresh(), other.refresh()])
  t.same(one.versions(), other.versions())
  t.same(numbersOf(one), [1, 2, 3, 4])
}

async function overflow(t: Test, store: VersionStore): Promise<void> {
  const first = store.versions()?.length ?? 0
  for (let i = first; i < CONFIG_VERSIONS_KEPT + 3; i++) await append(store, `v${i + 1}`)
  await store.refresh()
  const expected = Array.from({ length: CONFIG_VERSIONS_KEPT }, (_, i) => i + 4)
  t.same(numbersOf(store), expected, 'the latest')
  t.equal(store.sourceOf(3), undefined)
  t.equal(store.sourceOf(23)?.text, 'v23')
}

async function openAt(t: TestScope, redis: RedisServer): Promise<VersionStore> {
  return open(t, redisOpener(redis.url))
}

t.test('what Redis loses is put back by who knows it', async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await openAt(t, redis), await openAt(t, redis)]
  const one = await append(a, 'one')
  const two = await append(a, 'two')
  await b.refresh()
  await redis.client(t).flushall()
  await b.refresh()
  const late = await openAt(t, redis)
  t.same(late.versions(), [one, two])
  t.equal(late.sourceOf(1)?.text, 'one')
})

t.test('while Redis is away nothing is kept, and what is known stays known', async (t) => {
  const redis = await startRedis(t)
  const store = await openAt(t, redis)
  const one = await append(store, 'one')
  await redis.kill()
  await t.rejects(append(store, 'two'), NotKeptError)
  await store.refresh()
  t.same(store.versions(), [one])
  const blind = await openAt(t, redis)
  t.equal(blind.versions(), null, 'who has read nothing knows nothing')
  await redis.start()
  await until('it is put back', async () => (await blind.refresh(), blind.versions()?.length === 1))
  t.match(await until('kept again', () => append(store, 'two').catch(() => undefined)), { number: 2 })
})

t.test('what no scheduler wrote is no version', async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  await client.hset('edgeward:{test}:config', { 7: 'nonsense', 8: JSON.stringify({ number: 8 }) })
  const store = await openAt(t, redis)
  t.same(store.versions(), [])
  t.match(await append(store, 'one'), { number: 9 }, 'behind it')
})

t.test('files that are too large are left out, and known by their hash', async (t) => {
  const store = new MemoryVersions(systemClock)
  const files = new Map([['net.txt', randomBytes(CONFIG_PACKED_BYTES_MAX)]])
  await store.append(versionOf('large'), packSource({ text: 'text', files }), 0)
  const kept = store.sourceOf(1)
  t.equal(kept?.text, 'text')
  t.equal(kept?.files.get('net.txt')?.content, null)
  t.match(kept?.files.get('net.txt')?.sha256, /^[0-9a-f]{64}$/)
})
