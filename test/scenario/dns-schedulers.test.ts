// The name of the schedulers is answered with those that live: as long as Redis can be read it tells them, and what
// was last read stands when it cannot.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { ZONE, dataOf, dig, startDnsCluster } from '../kit/dns-cluster.ts'
import type { DnsCluster } from '../kit/dns-cluster.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

t.jobs = 3

const NAME = `steer.${ZONE}`
const [A, A6, B] = ['192.0.2.1', '2001:db8::1', '192.0.2.2']
const BOTH = `${A} ${B}`
/** Four seconds, and some for a slow machine. */
const GONE_WITHIN_MS = 7000
/** One that only is not heard any more is named until then: it has spoken half a second before at most. */
const UNHEARD_AFTER_MS = 2500

async function startOne(t: TestScope, redis: string, addresses: readonly string[]): Promise<DnsCluster> {
  const schedulers = { name: NAME, addresses }
  return startDnsCluster(t, { schedulers }, { reports: false, scheduler: { redis, drain: '3s' } })
}

async function named({ port }: DnsCluster, type = 'A'): Promise<string> {
  const { answer } = await dig(port, `${NAME} ${type}`)
  return dataOf(answer, type).toSorted().join(' ')
}

async function startTwo(t: TestScope, redis: string): Promise<[DnsCluster, DnsCluster]> {
  const [a, b] = await Promise.all([startOne(t, redis, [A, A6]), startOne(t, redis, [B])])
  await until('both name both', async () => (await named(a)) === BOTH && (await named(b)) === BOTH)
  return [a, b]
}

t.test('of one that is killed the other alone is named', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = await startTwo(t, redis.url)
  t.equal(await named(b, 'AAAA'), A6)

  await b.scheduler.daemon.stop('SIGKILL')
  const killedAtMs = systemClock.monotonic()
  t.equal(await named(a), BOTH, 'nobody knows yet')
  await until('it is gone', async () => (await named(a)) === A)
  const tookMs = systemClock.monotonic() - killedAtMs
  t.ok(tookMs < GONE_WITHIN_MS, `after ${tookMs} ms`)
})

t.test('nothing changes while Redis is away, nor when it is back empty', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = await startTwo(t, redis.url)
  const seen = new Set<string>()
  const watch = async (ms: number) => {
    for (const endMs = systemClock.monotonic() + ms; systemClock.monotonic() < endMs; await delay(100)) {
      seen.add(await named(a)).add(await named(b))
    }
  }
  await redis.kill()
  await watch(6000)
  t.same([...seen], [BOTH])

  const lone = await startOne(t, redis.url, ['192.0.2.3'])
  t.equal(await named(lone), '192.0.2.3', 'one that starts meanwhile names itself from the first answer on')
  await redis.start()
  await until('it has found them', async () => (await named(lone)) === `${BOTH} 192.0.2.3`)
  await watch(3000)
  t.notOk([...seen].some((list) => !list.startsWith(BOTH)))
})

t.test('one that drains is gone at once', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = await startTwo(t, redis.url)
  await stayConnected(t, b.scheduler.steering)
  const ended = b.scheduler.daemon.stop('SIGTERM')
  const drainedAtMs = systemClock.monotonic()
  await until('both name the other', async () => (await named(a)) === A && (await named(b)) === A)
  const tookMs = systemClock.monotonic() - drainedAtMs
  t.ok(tookMs < UNHEARD_AFTER_MS, `after ${tookMs} ms`)
  t.equal((await ended).code, 0)
})

/** A client that never ends its side: the drain waits for it as long as it may, and DNS is answered meanwhile. */
async function stayConnected(t: TestScope, url: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
}
