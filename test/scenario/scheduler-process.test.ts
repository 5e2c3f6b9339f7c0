// The scheduler as a process: starting, refusing to start, logging, draining, sharing a Redis.
import { createServer } from 'node:net'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import { freePort } from '../kit/ports.ts'
import { runCommand } from '../kit/process.ts'
import { startRedis } from '../kit/redis-server.ts'
import { schedulerFile, startSchedulerProcess } from '../kit/scheduler-process.ts'
import { until } from '../kit/until.ts'

const LISTEN = {
  steering: { listen: '127.0.0.1:0' },
  control: { listen: '127.0.0.1:0' },
  admin: { listen: '127.0.0.1:0' },
}
const HOST = { host: 'shows.example.com' }

t.test('a taken port is one line that names the port and its key', async (t) => {
  const other = createServer()
  const port = await freePort()
  other.listen(port, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  for (const listener of ['steering', 'control', 'admin']) {
    const scheduler = { ...LISTEN, [listener]: { listen: `127.0.0.1:${port}` } }
    const file = await schedulerFile(t, { scheduler })
    const { code, stderr } = await runCommand(t, ['scheduler', '--config', file])
    t.equal(code, 1)
    const expected = `edgeward: port ${port} on 127.0.0.1 is taken; change scheduler.${listener}.listen\n`
    t.equal(stderr, expected)
  }
})

t.test('a GeoIP file that cannot be used stops the start by its key', async (t) => {
  const geoip = { city: ['missing-ipv4.mmdb'], country: 'edgeward.yaml' }
  const file = await schedulerFile(t, { scheduler: { ...LISTEN, geoip } })
  const { code, stderr } = await runCommand(t, ['scheduler', '--config', file])
  t.equal(code, 2)
  t.match(stderr, /edgeward\.yaml: scheduler\.geoip\.city\[0\]: .*missing-ipv4\.mmdb does not exist\n$/)
  const broken = await schedulerFile(t, { scheduler: { ...LISTEN, geoip: { country: 'edgeward.yaml' } } })
  const second = await runCommand(t, ['scheduler', '--config', broken])
  t.equal(second.code, 2)
  t.match(second.stderr, /scheduler\.geoip\.country: .*edgeward\.yaml is not a MaxMind DB file/)
})

t.test('a missing configuration file', async (t) => {
  const { code, stderr } = await runCommand(t, ['scheduler', '--config', '/nowhere/edgeward.yaml'])
  t.equal(code, 2)
  t.equal(stderr.trim().split('\n').length, 1)
  t.match(stderr, /nowhere\/edgeward\.yaml/)
})

t.test('one access-log line a request, with the words of the decision, or none', async (t) => {
  const scheduler = await startSchedulerProcess(t)
  await scheduler.report('gz-1')
  await scheduler.untilState('gz-1', 'up')
  await get(`${scheduler.steering}/a/b.m3u8?token=hidden`, { headers: HOST })
  await get(`${scheduler.steering}/~films/x`, { headers: HOST })
  const lines = await until('two lines', () => {
    const steered = scheduler.daemon
      .stderr()
      .split('\n')
      .filter((line) => line.includes('"steered"'))
      .map((line): unknown => JSON.parse(line))
    return steered.length === 2 && steered
  })
  t.match(lines, [
    {
      client: '127.0.0.1',
      method: 'GET',
      host: 'shows.example.com',
      path: '/a/b.m3u8',
      property: 'shows',
      located: 'default',
      site: 'guangzhou',
      edge: 'gz-1',
      outcome: 'redirect',
      status: 302,
      durationUs: Number,
    },
    { outcome: 'unknown-property', status: 404 },
  ])
  // Of a property that nobody knows, nobody knows which part of the path may be a token.
  t.notMatch(scheduler.daemon.stderr(), /films/)
  t.notMatch(scheduler.daemon.stderr(), /hidden/)

  const quiet = await startSchedulerProcess(t, { scheduler: { ...LISTEN, accessLog: false } })
  await get(`${quiet.steering}/a`, { headers: HOST })
  await quiet.daemon.stop()
  t.notMatch(quiet.daemon.stderr(), /steered/)
})

t.test('an edge with a wrong key is refused and stays down', async (t) => {
  const scheduler = await startSchedulerProcess(t)
  const reply = await get(`${scheduler.control}/edge/v1/config`, {
    headers: { authorization: 'Bearer not-a-key-of-this-cluster' },
  })
  t.equal(reply.status, 401)
  t.match(JSON.parse(reply.text), { error: 'key' })
  await until('it is logged', () => scheduler.daemon.stderr().includes('unknown edge key'))
  t.notMatch(scheduler.daemon.stderr(), /not-a-key-of-this-cluster/)
  await scheduler.untilState('gz-1', 'down')
})

t.test('SIGTERM drains: not ready any more, the port closed, exit 0', async (t) => {
  const scheduler = await startSchedulerProcess(t)
  t.equal((await get(`${scheduler.admin}/healthz`)).status, 200)
  t.equal((await get(`${scheduler.admin}/readyz`)).status, 503)
  await scheduler.report('gz-1')
  await until('it is ready', async () => (await get(`${scheduler.admin}/readyz`)).status === 200)
  // A kept-alive connection must not hold the drain up.
  await get(`${scheduler.steering}/a`, { headers: HOST })
  const startedMs = systemClock.monotonic()
  t.same(await scheduler.daemon.stop('SIGTERM'), { code: 0, signal: null })
  t.ok(systemClock.monotonic() - startedMs < 5000, 'idle connections are not waited for')
  await t.rejects(get(`${scheduler.steering}/a`, { headers: HOST }))
})

t.test('schedulers that share a Redis steer to each other’s edges, and go on without it', async (t) => {
  const redis = await startRedis(t)
  const scheduler = { ...LISTEN, redis: redis.url }
  const [a, b] = await Promise.all([
    startSchedulerProcess(t, { scheduler }),
    startSchedulerProcess(t, { scheduler }),
  ])
  a.keepReporting('gz-1')
  await b.untilState('gz-1', 'up', 2000)
  const location = async () => (await get(`${b.steering}/a`, { headers: HOST })).headers.location
  t.equal(await location(), 'http://gz-1.edges.example.com/~shows/a')
  await redis.kill()
  const held = /^edgeward_scheduler_registry_held 1$/m
  await until('b holds', async () => held.test((await get(`${b.admin}/metrics`)).text))
  const heldMs = systemClock.monotonic()
  const seen = new Set<string | undefined>()
  for (; systemClock.monotonic() - heldMs < 6000; await delay(10)) seen.add(await location())
  t.same([...seen], ['http://gz-1.edges.example.com/~shows/a'], 'six seconds without Redis, not one failure')
  await redis.start()
  await until('b reads again', async () => !held.test((await get(`${b.admin}/metrics`)).text))
  t.equal(await location(), 'http://gz-1.edges.example.com/~shows/a')
})
