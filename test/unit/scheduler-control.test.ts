// The control listener: reports that are taken, reports that are refused, the configuration for edges.
import t from 'tap'
import { BoundedLog } from '../../scheduler/bounded-log.ts'
import { edgeConfigSchema } from '../../src/wire/edge-config.ts'
import { reportReplySchema } from '../../src/wire/report.ts'
import { hashKey } from '../../src/key.ts'
import { controlOf } from '../kit/control-service.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { StillClock, edgeEntry, keyOf, reportOf } from '../kit/scheduler.ts'

t.test('a report is taken and answered with the configuration to run', async (t) => {
  const { registry, report, counted, edgeConfig } = controlOf(t)
  const answer = await report(keyOf('gz-1'), reportOf('gz-1', { connections: 5 }))
  t.equal(answer.statusCode, 200)
  t.same(reportReplySchema.parse(answer.json()), { configVersion: edgeConfig.version })
  t.equal(registry.seen().get('gz-1')?.report.connections, 5)
  t.equal(await counted('accepted'), '1')
})

t.test('without the right key nothing is taken', async (t) => {
  const { registry, report, counted, service } = controlOf(t)
  for (const key of [undefined, '', 'wrong', `${keyOf('gz-1')}x`, keyOf('gz-1').toUpperCase()]) {
    const answer = await report(key, reportOf('gz-1'))
    t.equal(answer.statusCode, 401, String(key))
    t.same(answer.json(), { error: 'key', message: 'missing or unknown edge key' })
    t.equal(answer.headers['www-authenticate'], 'Bearer')
  }
  const basic = await service.inject({ url: '/edge/v1/config', headers: { authorization: 'Basic eDp5' } })
  t.equal(basic.statusCode, 401)
  t.equal(registry.seen().size, 0)
  t.equal(await counted('refused-key'), '5')
})

t.test('an edge speaks for itself alone', async (t) => {
  const { registry, report, counted } = controlOf(t)
  const answer = await report(keyOf('gz-1'), reportOf('gz-2'))
  t.equal(answer.statusCode, 403)
  t.match(answer.json(), { error: 'id', message: /not that of edge "gz-2"/ })
  t.equal(registry.seen().size, 0)
  t.equal(await counted('other-edge'), '1')
})

t.test('two processes that report as one edge: the one that started later is it', async (t) => {
  const { registry, report, counted, lines, clock } = controlOf(t)
  const startedMs = { a: clock.nowMs - 60_000, b: clock.nowMs - 1000 }
  const say = (instance: 'a' | 'b') =>
    report(keyOf('gz-1'), reportOf('gz-1', { instance, uptimeMs: clock.nowMs - startedMs[instance] }))
  const isTaken = async (instance: 'a' | 'b') => (await say(instance)).statusCode === 200
  t.ok(await isTaken('a'))
  t.ok(await isTaken('b'), 'a restart is taken at once')
  for (let i = 0; i < 3; i++) {
    clock.pass(1000)
    const refused = await say('a')
    t.equal(refused.statusCode, 409)
    t.match(refused.json(), { error: 'id', message: /^id: another process reports as edge "gz-1"/ })
    t.equal(registry.seen().get('gz-1')?.report.instance, 'b')
  }
  t.match(lines, [{ level: 40, edge: 'gz-1', unlogged: 0, msg: /two processes/ }], 'logged at a bounded rate')
  t.equal(await counted('duplicate-id'), '3')
  clock.pass(1999)
  t.notOk(await isTaken('a'))
  clock.pass(1)
  t.ok(await isTaken('a'), 'the other has been silent for five seconds')
  t.ok(await isTaken('b'), 'and is back')
})

t.test('processes that started at once are told apart all the same', async (t) => {
  for (const order of [
    ['a', 'b', 'a'],
    ['b', 'a', 'b'],
  ]) {
    const { report, registry } = controlOf(t)
    for (const instance of order) await report(keyOf('gz-1'), reportOf('gz-1', { instance }))
    t.equal(registry.seen().get('gz-1')?.report.instance, 'b')
  }
})

t.test('uptimes beyond reason let a process be refused, and no more', async (t) => {
  const { report, clock, registry } = controlOf(t)
  const say = async (instance: string, uptimeMs: number) =>
    (await report(keyOf('gz-1'), reportOf('gz-1', { instance, uptimeMs }))).statusCode
  t.equal(await say('a', 1e300), 200)
  t.equal(await say('a', 0), 200, 'the same process may say what it likes')
  t.equal(await say('b', 1e300), 409)
  clock.pass(5000)
  t.equal(await say('b', 1e300), 200)
  t.equal(registry.seen().get('gz-1')?.receivedAtMs, clock.nowMs, 'received now, whatever it says')
})

t.test('a load that cannot be is taken, told of and counted', async (t) => {
  const { report, counted, lines, registry } = controlOf(t)
  const say = (over: object) => report(keyOf('gz-1'), reportOf('gz-1', over))
  await say({ sentBitRate: 4e9, connections: 80_000 })
  t.same(lines, [], 'four times 1 Gbit/s and 20,000 connections: overloaded')
  await say({ sentBitRate: 1e13 })
  await say({ connections: 90_000 })
  t.equal((await say({ sentBitRate: Number.MAX_VALUE })).statusCode, 200)
  t.match(lines, [{ level: 40, edge: 'gz-1', claim: 'sends 10000 Gbit/s of 1 Gbit/s' }])
  t.same([await counted('accepted'), await counted('impossible')], ['1', '3'])
  t.ok(registry.seen().has('gz-1'))
})

t.test('the largest report that an edge makes is taken', async (t) => {
  const { report } = controlOf(t)
  const id = 'p'.repeat(64)
  const directories = Array.from({ length: 32 }, () => {
    return { property: id, path: `/${'\xe9'.repeat(254)}/`, bitRate: 123_456_789_012 }
  })
  const properties = Array.from({ length: 256 }, () => ({ id, bitRate: 123_456_789_012 }))
  const answer = await report(keyOf('gz-1'), reportOf('gz-1', { directories, properties }))
  t.equal(answer.statusCode, 200, answer.body)
})

t.test('a bad report is answered with the field that is bad', async (t) => {
  const { registry, report, counted } = controlOf(t)
  const good = reportOf('gz-1')
  const cases: [string | object, RegExp][] = [
    [{ ...good, connections: -1 }, /^connections: /],
    [{ ...good, state: 'well' }, /^state: /],
    [{ ...good, hitRatio: 2 }, /^hitRatio: /],
    [{ ...good, requestRate: 'many' }, /^requestRate: /],
    [{ ...good, sentBitRate: undefined }, /^sentBitRate: /],
    [{ ...good, id: 'x'.repeat(65) }, /^id: /],
    [{ ...good, extra: 1 }, /extra/],
    [{ ...good, instance: '' }, /^instance: /],
    [{ ...good, directories: [{ property: 'shows', path: 'a/', bitRate: 1 }] }, /^directories.0.path: /],
    [{ ...good, directories: [{ property: 'shows', path: '/a', bitRate: 1 }] }, /^directories.0.path: /],
    [{ ...good, properties: [{ id: 'shows', bitRate: -1 }] }, /^properties.0.bitRate: /],
    ['[]', /^report: /],
    ['null', /^report: /],
    ['{"id":', /JSON/],
    ['{"__proto__":{"x":1}}', /./],
  ]
  for (const [payload, message] of cases) {
    const answer = await report(keyOf('gz-1'), payload)
    t.equal(answer.statusCode, 400, JSON.stringify(payload))
    t.match(answer.json().message, message)
  }
  t.equal(registry.seen().size, 0)
  t.equal(await counted('invalid'), String(cases.length))
})

t.test('an oversized report is refused', async (t) => {
  const { report, counted, registry } = controlOf(t)
  const answer = await report(keyOf('gz-1'), { ...reportOf('gz-1'), version: 'x'.repeat(100_000) })
  t.equal(answer.statusCode, 413)
  t.match(answer.json(), { error: 'too-large' })
  t.equal(await counted('too-large'), '1')
  t.equal(registry.seen().size, 0)
})

t.test('wrong keys are logged at a bounded rate, without the key', async (t) => {
  const { report, lines, clock } = controlOf(t)
  for (let i = 0; i < 10; i++) await report('a-secret-guess', reportOf('gz-1'))
  t.equal(lines.length, 1)
  clock.pass(5000)
  await report('a-secret-guess', reportOf('gz-1'))
  t.equal(lines.length, 2)
  t.match(lines[1], { level: 40, unlogged: 9, peer: '127.0.0.1' })
  t.notOk(JSON.stringify(lines).includes('secret'))
})

t.test('the configuration is fetched once and then only when it differs', async (t) => {
  const { config, edgeConfig } = controlOf(t)
  const first = await config()
  t.equal(first.statusCode, 200)
  t.same(edgeConfigSchema.parse(first.json()), edgeConfig)
  const etag = String(first.headers['etag'])
  t.equal(etag, `"${edgeConfig.version}"`)
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await config({ 'if-none-match': tag })
    t.equal(again.statusCode, 304, tag)
    t.equal(again.body, '')
  }
  t.equal((await config({ 'if-none-match': '"other"' })).statusCode, 200)
})

t.test('two edges may share a key, each by its own id', async (t) => {
  const keyHash = hashKey(keyOf('gz-1'))
  const shared = ['gz-1', 'gz-2'].map((id) => edgeEntry(id, 'guangzhou', { keyHash }))
  const { report } = controlOf(t, { edges: shared })
  t.equal((await report(keyOf('gz-1'), reportOf('gz-2'))).statusCode, 200)
  t.equal((await report(keyOf('gz-2'), reportOf('gz-2'))).statusCode, 401)
})

t.test('unknown routes', async (t) => {
  const { service } = controlOf(t)
  const headers = { authorization: `Bearer ${keyOf('gz-1')}` }
  t.equal((await service.inject({ url: '/edge/v1/other', headers })).statusCode, 404)
  t.equal((await service.inject({ url: '/edge/v1/other' })).statusCode, 401, 'strangers learn no routes')
})

t.test('a warning that repeats is told at a bounded rate, each cause for itself', async (t) => {
  const clock = new StillClock()
  const { log, lines } = recordingLog()
  const warnings = new BoundedLog(clock, log)
  warnings.warn('key', { peer: '192.0.2.1' }, 'wrong key')
  clock.pass(4999)
  warnings.warn('key', { peer: '192.0.2.1' }, 'wrong key')
  warnings.warn('id', { edge: 'gz-1' }, 'wrong id')
  clock.pass(1)
  warnings.warn('key', { peer: '192.0.2.2' }, 'wrong key')
  t.match(lines, [
    { msg: 'wrong key', peer: '192.0.2.1', unlogged: 0 },
    { msg: 'wrong id', edge: 'gz-1', unlogged: 0 },
    { msg: 'wrong key', peer: '192.0.2.2', unlogged: 1 },
  ])
})
