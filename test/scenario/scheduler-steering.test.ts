// A real scheduler steers clients: by coverage, by GeoIP, by default, over IPv4 and IPv6, and never to an
// edge that fell silent.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import type { SchedulerProcess } from '../kit/scheduler-process.ts'

const HOST = { host: 'shows.example.com' }
const BEHIND_PROXY = {
  scheduler: {
    steering: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0' },
    admin: { listen: '127.0.0.1:0' },
    trustedProxies: ['127.0.0.0/8'],
  },
}

/** The edge that a client of that address is sent to, else the status. */
async function sentTo(scheduler: SchedulerProcess, client?: string, path = '/a/main.m3u8'): Promise<string> {
  const forwarded: Record<string, string> = client === undefined ? {} : { 'x-forwarded-for': client }
  const { status, headers } = await get(`${scheduler.steering}${path}`, {
    headers: { ...HOST, ...forwarded },
  })
  return headers.location?.split('/')[2]?.split('.')[0] ?? String(status)
}

t.test('a client is sent to the edge that is right for its address', async (t) => {
  const scheduler = await startSchedulerProcess(t, BEHIND_PROXY)
  t.equal(await sentTo(scheduler), '503', 'before any report')
  for (const id of ['gz-1', 'fra-1']) {
    t.equal(await scheduler.report(id), 200)
    scheduler.keepReporting(id)
    await scheduler.untilState(id, 'up')
  }
  t.equal(await sentTo(scheduler, '203.0.113.9'), 'gz-1', 'coverage')
  t.equal(await sentTo(scheduler, '198.51.100.9'), 'fra-1', 'coverage')
  t.equal(await sentTo(scheduler, '2001:db8:c::9'), 'gz-1', 'coverage over IPv6')
  t.equal(await sentTo(scheduler, '46.38.225.230'), 'fra-1', 'an address in Germany')
  t.equal(await sentTo(scheduler, '202.96.128.86'), 'gz-1', 'an address in China')
  t.equal(await sentTo(scheduler, '192.168.7.7'), 'gz-1', 'a private address: the default site')

  const reply = await get(`${scheduler.steering}/~shows/a/main.m3u8?t=%20x&u`, {
    headers: { 'x-forwarded-for': '198.51.100.9', host: 'anything' },
  })
  t.equal(reply.status, 302)
  t.equal(reply.headers.location, 'http://fra-1.edges.example.com/~shows/a/main.m3u8?t=%20x&u')
  t.equal(reply.headers['cache-control'], 'no-store')
  t.equal(reply.headers['access-control-allow-origin'], '*')
  t.equal(reply.headers['content-length'], '0')
  t.equal(reply.text, '')
})

t.test('X-Forwarded-For is believed only from configured proxies', async (t) => {
  const scheduler = await startSchedulerProcess(t, { defaultSite: 'frankfurt' })
  for (const id of ['gz-1', 'fra-1']) {
    scheduler.keepReporting(id)
    await scheduler.untilState(id, 'up')
  }
  t.equal(await sentTo(scheduler, '203.0.113.9'), 'fra-1', 'loopback itself is placed, not what it says')
})

t.test('an edge that falls silent gets no new client after five seconds', async (t) => {
  const scheduler = await startSchedulerProcess(t, BEHIND_PROXY)
  const silence = scheduler.keepReporting('gz-1')
  scheduler.keepReporting('fra-1')
  await scheduler.untilState('gz-1', 'up')
  await scheduler.untilState('fra-1', 'up')
  t.equal(await sentTo(scheduler, '203.0.113.9'), 'gz-1')
  silence()
  const silentMs = systemClock.monotonic()
  let lastMs = silentMs
  const sent = new Set<string>()
  for (; systemClock.monotonic() - silentMs < 7000; await delay(10)) {
    const edge = await sentTo(scheduler, '203.0.113.9')
    sent.add(edge)
    if (edge === 'gz-1') lastMs = systemClock.monotonic()
  }
  t.same([...sent], ['gz-1', 'fra-1'], 'no answer but a redirect to a living edge')
  t.ok(lastMs - silentMs < 5000, `last sent there after ${Math.round(lastMs - silentMs)} ms`)
})

t.test('a draining edge takes no new client, and nothing is left when it was the last', async (t) => {
  const scheduler = await startSchedulerProcess(t, BEHIND_PROXY)
  await scheduler.report('gz-1')
  await scheduler.untilState('gz-1', 'up')
  await scheduler.report('gz-1', { state: 'draining' })
  await scheduler.untilState('gz-1', 'draining')
  const reply = await get(`${scheduler.steering}/a`, { headers: HOST })
  t.equal(reply.status, 503)
  t.equal(reply.headers['retry-after'], '2')
  t.equal(reply.text, 'no edge can serve this now\n')
})

t.test('a client over IPv6', async (t) => {
  const scheduler = await startSchedulerProcess(t, {
    scheduler: { ...BEHIND_PROXY.scheduler, steering: { listen: '[::1]:0' } },
    sites: [
      { id: 'guangzhou', coverage: { networks: ['192.0.2.0/24'] } },
      { id: 'frankfurt', coverage: { networks: ['::1/128'] } },
    ],
  })
  for (const id of ['gz-1', 'fra-1']) {
    scheduler.keepReporting(id)
    await scheduler.untilState(id, 'up')
  }
  t.match(scheduler.steering, /^http:\/\/\[::1\]:\d+$/)
  t.equal(await sentTo(scheduler), 'fra-1')
})

t.test('what cannot be steered is refused by name', async (t) => {
  const scheduler = await startSchedulerProcess(t)
  const ask = (path: string, options: Parameters<typeof get>[1] = { headers: HOST }) =>
    get(`${scheduler.steering}${path}`, options)
  t.match(await ask('/.edgeward/health'), { status: 200, text: 'ok\n' })
  t.match(await ask('/a', { headers: { host: 'other.example' } }), {
    status: 404,
    text: 'no property for host "other.example"\n',
  })
  t.match(await ask('/~films/a'), { status: 404, text: 'no property "films"\n' })
  const post = await ask('/a', { method: 'POST', headers: HOST })
  t.match(post, { status: 405, headers: { allow: 'GET, HEAD, OPTIONS' } })
  const head = await ask('/~films/a', { method: 'HEAD' })
  t.match(head, { status: 404, text: '', headers: { 'content-length': '20' } })
  const preflight = await ask('/~shows/a', {
    method: 'OPTIONS',
    headers: {
      ...HOST,
      origin: 'https://x.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'range',
    },
  })
  t.match(preflight, {
    status: 204,
    headers: { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'range' },
  })
})
