// Schedulers that share a Redis know which of them live: one that is lost is gone in seconds, and a Redis that is
// flushed, lost, or holds what no scheduler wrote, takes none away.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import t from 'tap'
import { SCHEDULERS_MAX, SCHEDULER_PRESENT_MS } from '../../scheduler/limits.ts'
import { RedisRegistry } from '../../scheduler/registry/redis.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/log.ts'
import type { Logger } from '../../src/log.ts'
import { formatIp } from '../../src/net/ip.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { RedisServer } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

t.jobs = 4

const IDS = 'edgeward:{test}:schedulers'
const keyOf = (id: string) => `edgeward:{test}:scheduler:${id}`

async function open(
  t: TestScope,
  { url }: RedisServer,
  address: string,
  log: Logger = silentLogger,
): Promise<RedisRegistry> {
  const registry = await RedisRegistry.open({
    redis: { settings: url },
    cluster: 'test',
    edges: [],
    clock: systemClock,
    log,
    background: backgroundRunner(log),
  })
  t.teardown(() => registry.close())
  registry.announce([address])
  return registry
}

function namedBy(registry: RedisRegistry): string {
  return registry.schedulers().map(formatIp).join(' ')
}

/** What schedulers of these words write, once and all in one step: they die right after. */
async function lose(client: Redis, ...words: string[]): Promise<void> {
  const writes = client.multi()
  for (const word of words) {
    const id = randomUUID()
    writes.set(keyOf(id), word, 'PX', SCHEDULER_PRESENT_MS).sadd(IDS, id)
  }
  await writes.exec()
}

const wordOf = (...addresses: string[]) => JSON.stringify({ addresses })

t.test('one that is lost is gone in seconds, its id too', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  const registry = await open(t, redis, '192.0.2.1')
  const lostAtMs = systemClock.monotonic()
  await lose(client, wordOf('192.0.2.2'))
  await until('it is named', () => namedBy(registry) === '192.0.2.1 192.0.2.2')
  await until('it is gone', () => namedBy(registry) === '192.0.2.1')
  const tookMs = systemClock.monotonic() - lostAtMs
  // Two reads later at the most, and what a busy machine adds.
  t.ok(tookMs >= SCHEDULER_PRESENT_MS && tookMs < SCHEDULER_PRESENT_MS + 3000, `${tookMs} ms`)
  await until('its id is taken out', async () => (await client.scard(IDS)) === 1)

  await registry.close()
  t.equal(await client.exists(IDS), 0, 'nor of the last one that closed')
})

t.test('neither a flush nor a long outage takes one out', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis, '192.0.2.1'), await open(t, redis, '192.0.2.2')]
  const both = '192.0.2.1 192.0.2.2'
  await until('both name both', () => namedBy(a) === both && namedBy(b) === both)
  const seen = new Set<string>()
  const watching = setInterval(() => seen.add(namedBy(a)).add(namedBy(b)), 5)
  t.teardown(() => clearInterval(watching))

  await redis.client(t).flushall()
  await delay(1500)
  t.same([...seen], [both], 'flushed')

  await redis.kill()
  await until('it is missed', () => a.status().state === 'held' && b.status().state === 'held')
  await delay(SCHEDULER_PRESENT_MS + 1000)
  await redis.start()
  await until('it is back', () => a.status().state === 'healthy' && b.status().state === 'healthy', 5000)
  await delay(SCHEDULER_PRESENT_MS + 1500)
  t.same([...seen], [both], 'gone, and back empty')
})

t.test('one that dies while Redis is away is gone soon after it is back', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const registry = await open(t, redis, '192.0.2.1')
  await lose(redis.client(t), wordOf('192.0.2.2'))
  await until('it is named', () => namedBy(registry) === '192.0.2.1 192.0.2.2')
  await redis.kill()
  await until('it is missed', () => registry.status().state === 'held')
  await delay(SCHEDULER_PRESENT_MS + 1000)
  t.equal(namedBy(registry), '192.0.2.1 192.0.2.2', 'held')
  await redis.start()
  await until('it is gone', () => namedBy(registry) === '192.0.2.1', 6000)
})

t.test('what no scheduler wrote is one warning, and ignored', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  const values = ['not json', '{}', '1', wordOf('192.0.2.256'), wordOf('example.com'), wordOf('fe80::1%eth0')]
  await lose(client, ...values, wordOf(...Array.from({ length: 17 }, (_, i) => `192.0.2.${i + 10}`)))
  const unlimited = randomUUID()
  await client.set(keyOf(unlimited), wordOf('192.0.2.2'))
  const longLived = randomUUID()
  await client.set(keyOf(longLived), wordOf('192.0.2.3'), 'PX', 60_000)
  const list = randomUUID()
  await client.lpush(keyOf(list), 'a list')
  await client.sadd(IDS, unlimited, longLived, list, 'no-id', `*${'x'.repeat(1000)}`)
  const { log, lines } = recordingLog()
  const registry = await open(t, redis, '192.0.2.1', log)
  await until('all was looked at', async () => (await client.scard(IDS)) === 1)
  t.equal(namedBy(registry), '192.0.2.1')
  t.equal(registry.status().state, 'healthy')
  const told = [
    { msg: 'registry is read' },
    { msg: 'registry holds an unreadable word of a scheduler; ignored' },
  ]
  t.match(lines, told)
  t.equal(lines.length, told.length)
})

t.test('a bounded number of others', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  const registry = await open(t, redis, '192.0.2.1')
  const addresses = Array.from({ length: 2 * SCHEDULERS_MAX }, (_, i) => `198.51.100.${i}`)
  await lose(client, ...addresses.map((address) => wordOf(address)))
  await until('many are named', () => registry.schedulers().length > 1)
  t.equal(registry.schedulers().length, SCHEDULERS_MAX)
  await until('they are gone', () => namedBy(registry) === '192.0.2.1')
})
