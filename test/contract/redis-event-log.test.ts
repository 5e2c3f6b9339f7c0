// The events that schedulers share in Redis: one that is flushed, dead, restarted or slow loses none of them, and what
// may truly be lost is a gap.
import type { Redis } from 'ioredis'
import t from 'tap'
import type { Test } from 'tap'
import { NotAppendedError } from '../../scheduler/events/event-log.ts'
import type { EventLog, NewEvent } from '../../scheduler/events/event-log.ts'
import { parseEvent } from '../../scheduler/events/redis-entries.ts'
import { RedisEventLog } from '../../scheduler/events/redis-log.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/log.ts'
import type { Logger } from '../../src/log.ts'
import { NO_EVENT_YET } from '../../src/wire/events.ts'
import type { ClusterEvent } from '../../src/wire/events.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { RedisServer } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

t.jobs = 3

const STREAM = 'edgeward:{test}:events'
const ACKNOWLEDGED = 'edgeward:{test}:acknowledged'

async function open(t: TestScope, { url }: RedisServer, log: Logger = silentLogger): Promise<RedisEventLog> {
  const events = await RedisEventLog.open({
    redis: { settings: url },
    cluster: 'test',
    edges: ['gz-1', 'gz-2'],
    clock: systemClock,
    log,
    background: backgroundRunner(silentLogger),
  })
  t.teardown(() => events.close())
  return events
}

const purgeOf = (value: string): NewEvent => ({
  kind: 'purge',
  purge: { property: 'shows', scope: 'url', value, soft: false },
})

/** As a scheduler writes it. */
const textOf = (value: string) => JSON.stringify(purgeOf(value))

const valueOf = (event: ClusterEvent | undefined) => (event?.kind === 'purge' ? event.purge.value : undefined)

const valuesAfter = (log: EventLog, id: string) => log.after(id).events.map(valueOf)

/** What was said of it. */
async function refusalOf(t: Test, appending: Promise<unknown>): Promise<NotAppendedError> {
  const error = await appending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof NotAppendedError) return error
  t.fail('is not appended')
  throw error ?? new Error('appended')
}

t.test('flushed: all is put back, and edges go on from where they stand', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis), await open(t, redis)]
  const one = await a.append(purgeOf('/one'))
  const two = await b.append(purgeOf('/two'))
  await until('a has it', () => a.find(two.id))
  const client = redis.client(t)
  await client.flushall()
  t.notOk(a.after(one.id).gap)
  await until('both are back', async () => (await client.xlen(STREAM)) === 2)
  const late = await open(t, redis)
  t.same(
    late.after(one.id),
    { events: [two], last: two.id, gap: false },
    'a scheduler that starts knows them',
  )
  // The one of them may have put it back while the other reads it still, and is refused until it has.
  const three = await until('events are taken again', () =>
    a.append(purgeOf('/three')).catch(() => undefined),
  )
  for (const log of [a, b, late]) {
    await until('the next reaches all', () => log.find(three.id))
    t.same(log.after(one.id).events, [two, three], 'none twice')
  }
})

t.test('killed, and back empty', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const [a, b] = [await open(t, redis), await open(t, redis)]
  const one = await a.append(purgeOf('/one'))
  await until('b has it', () => b.find(one.id))
  await redis.kill()
  const refused = await until('it is noticed', async () => {
    const error = await refusalOf(t, a.append(purgeOf('/refused')))
    return error.outcome === 'refused' ? error : undefined
  })
  t.match(refused.message, /Redis cannot be used: .*(ECONNREFUSED|ECONNRESET|closed?)/)
  for (const log of [a, b]) t.same(log.after(NO_EVENT_YET).events, [one], 'edges are answered')
  b.acknowledge('gz-2', one.id)

  await redis.start()
  const two = await until('events are taken again', () => b.append(purgeOf('/two')).catch(() => undefined))
  await until('a has it', () => a.find(two.id))
  t.same(a.after(one.id), { events: [two], last: two.id, gap: false }, 'no gap')
  await until('an acknowledgement meanwhile', () => a.acknowledgements(one.id).has('gz-2'))
  const late = await open(t, redis)
  t.same(late.after(one.id).events, [two], 'a scheduler that starts knows both')
})

t.test('stands still: nothing is waited for longer than a second', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const log = await open(t, redis)
  const one = await log.append(purgeOf('/one'))
  redis.pause()
  t.teardown(() => redis.resume())
  const sentAtMs = systemClock.monotonic()
  const { outcome, message } = await refusalOf(t, log.append(purgeOf('/unanswered')))
  t.equal(outcome, 'unanswered', 'it may be carried out')
  t.match(message, /no answer within 1000 ms|closed/)
  t.ok(systemClock.monotonic() - sentAtMs < 1900)
  t.same(log.after(''), { events: [], last: one.id, gap: false })
  redis.resume()
  const two = await until('goes on', () => log.append(purgeOf('/two')).catch(() => undefined))
  t.equal(valuesAfter(log, one.id).at(-1), '/two')
  t.ok(log.find(two.id))
})

t.test('away at the start: no edge is told of a gap that is none', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const other = await open(t, redis)
  const one = await other.append(purgeOf('/one'))
  await redis.kill()
  const log = await open(t, redis)
  t.same(log.after(one.id), { events: [], last: one.id, gap: false }, 'it goes on from where it stands')
  t.same(
    log.after(''),
    { events: [], last: NO_EVENT_YET, gap: false },
    'who knows nothing from the beginning',
  )
  t.equal((await refusalOf(t, log.append(purgeOf('/refused')))).outcome, 'refused')
  await redis.start()
  await until('it is read', () => log.find(one.id))
  t.same(log.after(one.id), { events: [], last: one.id, gap: false })
})

t.test('what came and went while the connection was lost is a gap', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  await client.xadd(STREAM, '*', 'event', textOf('/before'))
  const log = await open(t, redis)
  const own = await log.append(purgeOf('/own'))
  // In one step: another scheduler's, on a store that had been emptied, while this one is not connected.
  const replaced = client.multi().del(STREAM).xadd(STREAM, '*', 'event', textOf('/later'))
  await replaced.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').exec()
  await until('it is read', () => log.after(own.id).gap)
  const { last } = log.after(own.id)
  t.same(log.after(last), { events: [], last, gap: false }, 'from there it goes on')
  t.same(await storedValues(client), ['/later', '/own'], 'what was appended here comes once more')
  t.equal(valueOf(log.find(last)), '/own')
})

t.test('a stream that is emptied under a connection is none', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  await client.xadd(STREAM, '*', 'event', textOf('/before'))
  const log = await open(t, redis)
  const { last: before } = log.after('')
  await client.multi().del(STREAM).xadd(STREAM, '*', 'event', textOf('/later')).exec()
  await until('the next is here', () => valuesAfter(log, before).length === 1)
  t.same(valuesAfter(log, before), ['/later'])
})

async function storedValues(client: Redis): Promise<(string | undefined)[]> {
  const entries = await client.xrange(STREAM, '-', '+')
  return entries.map((entry) => valueOf(parseEvent(entry)))
}

t.test('what no scheduler wrote is one warning', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  const { log: logger, lines } = recordingLog()
  const log = await open(t, redis, logger)
  const one = await log.append(purgeOf('/one'))
  for (const fields of [
    ['event', '{'],
    ['event', '{"kind":"purge"}'],
    ['event', 'null'],
    ['x', 'y'],
  ]) {
    await client.xadd(STREAM, '*', ...fields)
  }
  for (const said of ['[', '[{"edge":"gz-1"}]', `[{"edge":"mars-1","id":"${one.id}","agoMs":0}]`]) {
    await client.xadd(ACKNOWLEDGED, '*', 'acknowledged', said)
  }
  await client.xadd(STREAM, '*', 'event', textOf('/two'))
  await until('what is behind it is here', () => log.after(one.id).events.length > 0)
  t.same(valuesAfter(log, one.id), ['/two'])
  log.acknowledge('gz-1', log.after('').last)
  await until('acknowledgements too', () => log.acknowledgements(one.id).size > 0)
  t.same([...log.acknowledgements(one.id).keys()], ['gz-1'], 'none of an edge that is not configured')
  const warnings = lines.filter((line) => JSON.stringify(line).includes('ignored'))
  t.match(warnings, [{ msg: 'no event; ignored' }, { msg: 'no acknowledgement; ignored' }])
  t.equal(warnings.length, 2)
})

t.test('a key of another kind: said once, and used when it is gone', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const client = redis.client(t)
  await client.set(STREAM, 'not a stream')
  const { log: logger, lines } = recordingLog()
  const log = await open(t, redis, logger)
  const { outcome, message } = await refusalOf(t, log.append(purgeOf('/one')))
  t.equal(outcome, 'refused')
  t.match(message, /WRONGTYPE/)
  await client.del(STREAM)
  await until('it is used', () => log.append(purgeOf('/two')).catch(() => undefined))
  const said = lines.filter((line) => JSON.stringify(line).includes('WRONGTYPE'))
  t.equal(said.length, 1)
})
