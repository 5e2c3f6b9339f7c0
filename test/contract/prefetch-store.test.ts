// What every store of prefetches must do, in memory or in Redis. Those in Redis run against real servers.
import t from 'tap'
import type { Test } from 'tap'
import { MemoryPrefetchStore } from '../../scheduler/prefetch/memory-store.ts'
import { newPrefetchId } from '../../scheduler/prefetch/prefetch-job.ts'
import type { PrefetchJob } from '../../scheduler/prefetch/prefetch-job.ts'
import { StoreAwayError } from '../../scheduler/prefetch/prefetch-store.ts'
import type { PrefetchStore } from '../../scheduler/prefetch/prefetch-store.ts'
import { RedisPrefetchStore } from '../../scheduler/prefetch/redis-store.ts'
import { systemClock } from '../../src/clock.ts'
import { redisSchema } from '../../src/config/redis-schema.ts'
import { NO_COUNTS } from '../../src/wire/prefetch.ts'
import type { PrefetchProgress } from '../../src/wire/prefetch.ts'
import { startRedisCluster } from '../kit/redis-cluster.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

/** Opens stores that share what is stored, if anything is. */
type Opener = () => Promise<PrefetchStore>

function redisOpener(redis: unknown): Opener {
  const settings = redisSchema.parse(redis)
  return async () => {
    const store = new RedisPrefetchStore({ settings }, 'test', systemClock)
    await until('it is connected', async () => (await store.all()) !== undefined)
    return store
  }
}

const KINDS: Record<string, (t: TestScope) => Promise<Opener>> = {
  memory: async () => async () => new MemoryPrefetchStore(systemClock),
  redis: async (t) => redisOpener((await startRedis(t)).url),
  'redis cluster': async (t) => redisOpener((await startRedisCluster(t)).settings),
}

function jobOf(over: Partial<PrefetchJob> = {}): PrefetchJob {
  return {
    id: newPrefetchId(),
    warm: null,
    atMs: 1000,
    cancelledAtMs: null,
    settings: { renditions: { heightMax: 720 }, bitRate: 1e6, window: { daily: '01:00-05:00', zone: 'UTC' } },
    sites: ['guangzhou'],
    urls: 3,
    bytes: 30,
    parts: { 'gz-1': 2, 'gz-2': 1 },
    ...over,
  }
}

function progressOf(urls: number, over: Partial<PrefetchProgress> = {}): PrefetchProgress {
  const counts = { ...NO_COUNTS, urls }
  return {
    state: 'working',
    counts,
    bitRate: 5,
    failures: [],
    checkpoint: { from: 1, counts, failures: 0 },
    ...over,
  }
}

for (const [kind, start] of Object.entries(KINDS)) {
  t.test(kind, async (t) => {
    const opener = await start(t)
    const store = await opener()
    t.teardown(() => store.close())
    await lists(t, store)
    await jobs(t, store)
    await words(t, store)
    await claims(t, store)
    if (kind !== 'memory') await shared(t, store, await opener())
  })
}

async function lists(t: Test, store: PrefetchStore): Promise<void> {
  const id = newPrefetchId()
  for (const chunk of ['shows /a\nshows /b', 'shows /c', 'shows /é']) await store.appendChunk(id, chunk)
  t.equal(await store.find(id), undefined, 'a list is no job')
  t.same(await store.chunks(id, 0, 2), ['shows /a\nshows /b', 'shows /c'])
  t.same(await store.chunks(id, 2, 5), ['shows /é'], 'to its end')
  t.same(await store.chunks(id, 3, 5), [], 'behind it')
  t.same(await store.chunks(newPrefetchId(), 0, 5), [], 'of none')
  await store.dropList(id)
  t.same(await store.chunks(id, 0, 5), [])
}

async function jobs(t: Test, store: PrefetchStore): Promise<void> {
  const [older, newer] = [jobOf({ atMs: 1000, warm: 'shows#0' }), jobOf({ atMs: 2000 })]
  await store.add(newer)
  await store.add(older)
  t.same(await store.find(older.id), older)
  t.same(await store.all(), [older, newer], 'the oldest first')
  await store.appendChunk(older.id, 'shows /a')
  await store.cancel(older.id, 5000)
  await store.cancel(older.id, 6000)
  t.equal((await store.find(older.id))?.cancelledAtMs, 5000, 'once')
  await store.cancel(newPrefetchId(), 5000)
  t.equal((await store.all()).length, 2, 'what is not there is not cancelled')
  await store.setProgress(older.id, 'gz-1', progressOf(1))
  await store.remove(older.id)
  t.same(await store.all(), [newer])
  t.same(await store.chunks(older.id, 0, 1), [], 'with its list')
  t.equal((await store.progressOf(older.id)).size, 0, 'and with what was said of it')
  await store.remove(newer.id)
}

async function words(t: Test, store: PrefetchStore): Promise<void> {
  const job = jobOf()
  await store.add(job)
  t.equal((await store.progressOf(job.id)).size, 0)
  const failures = [{ property: 'shows', path: '/a', reason: 'missing', detail: 'status 404' } as const]
  await store.setProgress(job.id, 'gz-1', progressOf(1))
  await store.setProgress(job.id, 'gz-1', progressOf(2, { failures }))
  await store.setProgress(job.id, 'gz-2', progressOf(1, { state: 'done' }))
  const said = await store.progressOf(job.id)
  t.same(said.get('gz-1'), progressOf(2, { failures }), 'the last word')
  t.same(said.get('gz-2'), progressOf(1, { state: 'done' }))
  const standing = await store.standingOf(job.id)
  t.equal(standing.get('gz-2')?.state, 'done')
  t.equal(standing.get('gz-1')?.counts.urls, 2)
  await store.remove(job.id)
}

async function claims(t: Test, store: PrefetchStore): Promise<void> {
  t.equal(await store.claim('one', 60_000), 0)
  const left = await store.claim('one', 60_000)
  t.ok(left > 50_000 && left <= 60_000, `another has it for ${left} ms`)
  t.equal(await store.claim('other', 50), 0, 'each by its name')
  await store.giveUp('one')
  t.equal(await store.claim('one', 60_000), 0)
  await until('it ends', async () => (await store.claim('other', 50)) === 0)
}

async function shared(t: Test, one: PrefetchStore, other: PrefetchStore): Promise<void> {
  t.teardown(() => other.close())
  const job = jobOf()
  await one.appendChunk(job.id, 'shows /a')
  await one.add(job)
  t.same(await other.find(job.id), job)
  t.same(await other.chunks(job.id, 0, 1), ['shows /a'])
  await other.setProgress(job.id, 'gz-1', progressOf(2))
  t.same((await one.progressOf(job.id)).get('gz-1'), progressOf(2))
  t.ok((await other.claim('one', 60_000)) > 0, 'what one has claimed')
  const both = await Promise.all([one.claim('both', 60_000), other.claim('both', 60_000)])
  t.equal(both.filter((ms) => ms === 0).length, 1, 'one of two')
}

t.test('while Redis is away, whoever asks hears so at once', async (t) => {
  const redis = await startRedis(t)
  const store = await redisOpener(redis.url)()
  t.teardown(() => store.close())
  const job = jobOf()
  await store.add(job)
  await redis.kill()
  await t.rejects(store.find(job.id), StoreAwayError)
  await t.rejects(store.appendChunk(job.id, 'shows /a'), StoreAwayError)
  await redis.start()
  await until('it is used again', async () => (await store.all()).length === 0)
})

t.test('what something else wrote there is no job', async (t) => {
  const redis = await startRedis(t)
  const store = await redisOpener(redis.url)()
  t.teardown(() => store.close())
  const client = redis.client(t)
  await client.hset('edgeward:{test}:prefetches', { a: 'nonsense', b: '{"id":1}' })
  const job = jobOf()
  await store.add(job)
  await client.hset(`edgeward:{test}:prefetch:${job.id}:standing`, { 'gz-1': '[]' })
  t.same(await store.all(), [job])
  t.equal((await store.progressOf(job.id)).size, 0)
})
