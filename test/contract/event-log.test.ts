// What every log of events must do, in memory or in Redis. Those in Redis run against real servers.
import t from 'tap'
import type { Test } from 'tap'
import { readFile } from 'node:fs/promises'
import type { EventLog, NewEvent } from '../../scheduler/events/event-log.ts'
import { MemoryEventLog } from '../../scheduler/events/memory-log.ts'
import { RedisEventLog } from '../../scheduler/events/redis-log.ts'
import { EVENTS_KEPT_MAX } from '../../scheduler/limits.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { redisSchema } from '../../src/config/redis-schema.ts'
import { silentLogger } from '../../src/log.ts'
import { EVENTS_AT_ONCE_MAX, compareEventIds } from '../../src/wire/events.ts'
import type { EventsReply } from '../../src/wire/events.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { startRedisCluster } from '../kit/redis-cluster.ts'
import { startSentinelSet } from '../kit/redis-sentinel.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

/** Opens logs that share what is stored, if anything is. */
type Opener = () => Promise<EventLog>

function redisOpener(redis: unknown, ca?: string): Opener {
  const settings = redisSchema.parse(redis)
  return () =>
    RedisEventLog.open({
      redis: { settings, ca },
      cluster: 'test',
      edges: ['gz-1', 'gz-2'],
      clock: systemClock,
      log: silentLogger,
      background: backgroundRunner(silentLogger),
    })
}

const KINDS: Record<string, (t: TestScope) => Promise<Opener>> = {
  memory: async () => async () => new MemoryEventLog(systemClock),
  redis: async (t) => redisOpener((await startRedis(t)).url),
  'redis with TLS and a password': async (t) => {
    const tls = await makeCertificate(await tempDirectory(t), 'redis')
    const password = 'p@ss word/1'
    const { url } = await startRedis(t, { tls, password })
    return redisOpener({ url, password }, await readFile(tls.certificate, 'utf8'))
  },
  'redis sentinel': async (t) => redisOpener((await startSentinelSet(t)).settings),
  'redis cluster': async (t) => redisOpener((await startRedisCluster(t)).settings),
}

const purgeOf = (value: string): NewEvent => ({
  kind: 'purge',
  purge: { property: 'shows', scope: 'url', value, soft: false },
})

const valuesOf = ({ events }: EventsReply) =>
  events.map((event) => (event.kind === 'purge' ? event.purge.value : event.kind))

for (const [kind, start] of Object.entries(KINDS)) {
  t.test(kind, async (t) => {
    const opener = await start(t)
    const log = await opener()
    t.teardown(() => log.close())
    await order(t, log)
    await listed(t, log)
    await acknowledged(t, log)
    if (kind !== 'memory') await shared(t, log, await opener())
    if (kind === 'memory' || kind === 'redis') await overflow(t, log)
  })
}

async function order(t: Test, log: EventLog): Promise<void> {
  const { last: beginning } = log.after('')
  t.not(beginning, '', 'it stands somewhere before the first')
  t.same(log.after(beginning), { events: [], last: beginning, gap: false }, 'nothing has happened')
  t.same(log.purges(10), [])

  let told = 0
  const stop = log.onAppend(() => told++)
  const one = await log.append(purgeOf('/one'))
  t.ok(told > 0, 'who listens is told')
  stop()
  told = 0
  const two = await log.append(purgeOf('/two'))
  t.equal(told, 0, 'who has stopped is not')
  t.match(one, { kind: 'purge', purge: { property: 'shows', scope: 'url', value: '/one', soft: false } })
  t.ok(Math.abs(one.atMs - systemClock.now()) < 10_000, 'with its time')
  t.ok(compareEventIds(one.id, two.id) < 0, 'later ones are later')

  t.same(log.after(beginning), { events: [one, two], last: two.id, gap: false }, 'from the beginning')
  t.same(log.after(one.id), { events: [two], last: two.id, gap: false })
  t.same(log.after(two.id), { events: [], last: two.id, gap: false })
  t.same(log.after(''), { events: [], last: two.id, gap: false }, 'where it stands')
  t.same(log.find(one.id), one)
  const config = await log.append({ kind: 'config', version: 7 })
  t.match(config, { kind: 'config', version: 7 }, 'of any kind')
  t.same(log.after(two.id), { events: [config], last: config.id, gap: false })
  const last = config.id
  t.equal(log.find('1-1'), undefined)

  t.same(log.after('1-1'), { events: [], last, gap: true }, 'of an earlier life')
  const lost = '99999999999999-0'
  // Another scheduler may have said it a moment ago: that is found out first.
  await until('one that nobody knows is a gap', () => log.after(lost).gap)
  t.same(log.after(lost), { events: [], last, gap: true })
}

async function listed(t: Test, log: EventLog): Promise<void> {
  const before = log.purges(EVENTS_KEPT_MAX)
  const older = await log.append(purgeOf('/older'))
  await log.append({ kind: 'config', version: 8 })
  const newer = await log.append(purgeOf('/newer'))
  t.same(log.purges(2), [newer, older], 'purges alone, the newest first')
  t.same(log.purges(1), [newer], 'so many at most')
  t.same(log.purges(0), [], 'none of none')
  t.same(log.purges(EVENTS_KEPT_MAX), [newer, older, ...before], 'as many as there are')
}

async function acknowledged(t: Test, log: EventLog): Promise<void> {
  const three = await log.append(purgeOf('/three'))
  const four = await log.append(purgeOf('/four'))
  t.equal(log.acknowledgements(three.id).size, 0, 'nobody yet')
  t.equal(log.acknowledgements('1-1').size, 0)
  log.acknowledge('gz-1', three.id)
  await until('it is known', () => log.acknowledgements(three.id).has('gz-1'))
  t.equal(log.acknowledgements(four.id).size, 0, 'not of later ones')
  const atMs = log.acknowledgements(three.id).get('gz-1') ?? 0
  t.ok(atMs >= Math.floor(three.atMs) && atMs - three.atMs < 1000, 'with its time')

  log.acknowledge('gz-1', four.id)
  log.acknowledge('gz-2', four.id)
  await until('both', () => log.acknowledgements(four.id).size === 2)
  t.equal(log.acknowledgements(three.id).get('gz-1'), atMs, 'the first time counts')
  t.same([...log.acknowledgements(three.id).keys()].toSorted(), ['gz-1', 'gz-2'], 'and of what lies between')
}

async function shared(t: Test, one: EventLog, other: EventLog): Promise<void> {
  t.teardown(() => other.close())
  const [last] = one.after('').last.split(' ')
  t.equal(other.after('').last, last, 'a scheduler that starts knows what was')
  t.same(other.purges(3), one.purges(3))
  const both = ['gz-1', 'gz-2']
  t.same([...other.acknowledgements(last ?? '').keys()].toSorted(), both, 'and who has applied it')

  const heard = Promise.withResolvers<void>()
  const stop = other.onAppend(heard.resolve)
  const five = await one.append(purgeOf('/five'))
  await heard.promise
  stop()
  t.same(other.after(last ?? '').events, [five], 'the same, with its id')
  const took = await delayOf(one, other, 100)
  t.ok(took < 100, `another scheduler has an event within milliseconds: ${took}`)

  const { last: newest } = one.after('')
  other.acknowledge('gz-2', newest)
  await until('what an edge said there', () => one.acknowledgements(newest).has('gz-2'))

  const [six, seven] = await Promise.all([one.append(purgeOf('/six')), other.append(purgeOf('/seven'))])
  const ids = [six.id, seven.id].toSorted(compareEventIds)
  for (const log of [one, other]) {
    await until('both are there', () => log.after(newest).events.length === 2)
    t.same(
      log.after(newest).events.map(({ id }) => id),
      ids,
      'in one order',
    )
  }
}

/** Milliseconds until the other has it: the first below `wanted`, or the best of many on a machine that does more than this. */
async function delayOf(one: EventLog, other: EventLog, wanted: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 20 && best >= wanted; i++) {
    const heard = Promise.withResolvers<void>()
    const stop = other.onAppend(heard.resolve)
    const sentAtMs = systemClock.monotonic()
    await one.append(purgeOf('/timed'))
    await heard.promise
    stop()
    best = Math.min(best, systemClock.monotonic() - sentAtMs)
  }
  return best
}

async function overflow(t: Test, log: EventLog): Promise<void> {
  const { last: before } = log.after('')
  // A stream is trimmed by whole nodes.
  for (let i = 0; i < EVENTS_KEPT_MAX + 200; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_none, n) => log.append(purgeOf(`/${i + n}`))))
  }
  const { last } = log.after('')
  t.same(log.after(before), { events: [], last, gap: true }, 'what is no longer kept is a gap')
  t.same(log.after('0-0'), { events: [], last, gap: true }, 'the beginning too')
  t.equal(log.find(before), undefined)
  const kept = log.purges(EVENTS_KEPT_MAX + 200)
  t.equal(kept[0]?.id, last)
  t.ok(kept.length <= EVENTS_KEPT_MAX, `nor listed: ${kept.length}`)
  t.same(log.after(last), { events: [], last, gap: false }, 'from there it goes on')

  await Promise.all(
    Array.from({ length: EVENTS_AT_ONCE_MAX + 1 }, (_none, n) => log.append(purgeOf(`/${n}`))),
  )
  const first = log.after(last)
  t.equal(first.events.length, EVENTS_AT_ONCE_MAX, 'many come in parts')
  t.equal(first.last, first.events.at(-1)?.id)
  t.equal(log.after(first.last).events.length, 1)
  t.equal(new Set([...valuesOf(first), ...valuesOf(log.after(first.last))]).size, EVENTS_AT_ONCE_MAX + 1)
}
