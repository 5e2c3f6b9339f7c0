// What every store of the edges' secrets must do, in memory and in a real Redis; and what those in Redis share.
import t from 'tap'
import { MemorySecrets } from '../../scheduler/guidance/memory-secrets.ts'
import { RedisSecrets } from '../../scheduler/guidance/redis-secrets.ts'
import type { SecretStore } from '../../scheduler/guidance/secret-store.ts'
import { backgroundRunner } from '../../src/background.ts'
import { redisSchema } from '../../src/config/redis-schema.ts'
import { peerSecretSchema } from '../../src/wire/guidance.ts'
import { Redis } from 'ioredis'
import { recordingLog } from '../kit/recording-log.ts'
import { startRedis } from '../kit/redis-server.ts'
import { startRedisCluster } from '../kit/redis-cluster.ts'
import { StillClock } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const HOUR_MS = 3_600_000

/** A clock ten minutes into an hour. */
function clockIn(hour: number): StillClock {
  const clock = new StillClock()
  clock.nowMs = hour * HOUR_MS + 600_000
  return clock
}

async function redisSecrets(t: TestScope, redis: unknown, clock: StillClock, log = recordingLog().log) {
  const target = { settings: redisSchema.parse(redis) }
  const background = backgroundRunner(log)
  const secrets = await RedisSecrets.open({ redis: target, cluster: 'test', clock, log, background })
  t.teardown(() => secrets.close())
  return secrets
}

type Opener = (t: TestScope, clock: StillClock) => Promise<SecretStore>

const KINDS: Record<string, (t: TestScope) => Promise<Opener>> = {
  memory: async () => async (t, clock) => {
    const secrets = new MemorySecrets(clock)
    t.teardown(() => secrets.close())
    return secrets
  },
  redis: async (t) => {
    const { url } = await startRedis(t)
    return (scope, clock) => redisSecrets(scope, url, clock)
  },
  'redis cluster': async (t) => {
    const { settings } = await startRedisCluster(t)
    return (scope, clock) => redisSecrets(scope, settings, clock)
  },
}

for (const [kind, start] of Object.entries(KINDS)) {
  t.test(`${kind}: one an hour, of the hour before to four ahead`, async (t) => {
    const secrets = await (await start(t))(t, clockIn(1000))
    const current = secrets.current()
    t.same(
      current.map(({ fromMs, untilMs }) => [fromMs / HOUR_MS, untilMs / HOUR_MS]),
      [999, 1000, 1001, 1002, 1003, 1004].map((hour) => [hour, hour + 1]),
    )
    for (const secret of current) {
      t.ok(peerSecretSchema.safeParse(secret).success, 'as edges take them')
      t.equal(Buffer.from(secret.key, 'base64url').length, 32)
      t.notOk(secret.id.includes(secret.key.slice(0, 6)), 'its id tells nothing of it')
    }
    t.equal(new Set(current.map(({ key }) => key)).size, 6, 'each another')
    t.same(secrets.current(), current, 'the same as long as the hour lasts')
  })
}

t.test('memory: the next hour adds one and drops one', async (t) => {
  const clock = clockIn(1000)
  const secrets = new MemorySecrets(clock)
  t.teardown(() => secrets.close())
  const before = secrets.current()
  clock.pass(HOUR_MS)
  t.same(secrets.current().slice(0, 5), before.slice(1))
  t.equal(secrets.current().length, 6)
})

t.test('schedulers of one Redis hand out the same, whoever was first', async (t) => {
  const { url } = await startRedis(t)
  const clock = clockIn(1000)
  const stores = await Promise.all([1, 2, 3].map(() => redisSecrets(t, url, clock)))
  const [one, two, three] = stores.map((store) => store.current())
  t.equal(one?.length, 6)
  t.same(two, one)
  t.same(three, one)

  const later = await redisSecrets(t, url, clockIn(1002))
  t.same(later.current().slice(0, 4), one?.slice(2), 'those ahead were kept')
})

t.test('they expire in Redis, and another cluster has others', async (t) => {
  const { url } = await startRedis(t)
  await redisSecrets(t, url, clockIn(1000))
  const redis = new Redis(url)
  t.teardown(() => redis.disconnect())
  const keys = (await redis.keys('*')).toSorted()
  t.equal(keys.length, 6)
  t.ok(keys.every((key) => key.startsWith('edgeward:{test}:peer-secret:')))
  const left = await redis.pttl('edgeward:{test}:peer-secret:1000')
  t.ok(left > HOUR_MS && left < 3 * HOUR_MS, `${left} ms`)
})

t.test('those already held go on while Redis is away, and are put back when it has lost them', async (t) => {
  const server = await startRedis(t)
  const { log, lines } = recordingLog()
  const clock = clockIn(1000)
  const secrets = await redisSecrets(t, server.url, clock, log)
  const before = secrets.current()
  await server.kill()
  clock.pass(2 * HOUR_MS)
  t.same(secrets.current(), before.slice(2), 'without those that ran out')

  await server.start()
  await until('there are six again', () => secrets.current().length === 6)
  t.same(secrets.current().slice(0, 4), before.slice(2))
  const other = await redisSecrets(t, server.url, clock)
  t.same(other.current(), secrets.current(), 'an empty store was told what is held')
  for (const { key } of secrets.current()) t.notOk(JSON.stringify(lines).includes(key), 'never logged')
})

t.test('a start without Redis has none, and takes them when it is there', async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const { log, lines } = recordingLog()
  const secrets = await redisSecrets(t, server.url, clockIn(1000), log)
  t.same(secrets.current(), [])
  let changes = 0
  secrets.onChange = () => (changes += 1)
  await until('it is said', () => lines.length > 0)
  t.match(lines, [{ msg: /cannot be shared/ }], 'once')
  await server.start()
  await until('they are there', () => secrets.current().length === 6)
  t.equal(changes, 1)
})

t.test('what nobody of ours wrote is ignored', async (t) => {
  const { url } = await startRedis(t)
  const redis = new Redis(url)
  t.teardown(() => redis.disconnect())
  await redis.set('edgeward:{test}:peer-secret:1001', 'short')
  const { log, lines } = recordingLog()
  const secrets = await redisSecrets(t, url, clockIn(1000), log)
  t.same(
    secrets.current().map(({ fromMs }) => fromMs / HOUR_MS),
    [999, 1000, 1002, 1003, 1004],
  )
  t.match(lines, [{ msg: /unreadable secret/ }])
})
