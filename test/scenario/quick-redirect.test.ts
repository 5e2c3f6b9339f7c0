// Redirects that go from bytes to bytes, on connections as clients use them: several at once, in pieces, closed behind
// one, mixed with requests that go the other ways; and all of them are counted.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { metricOf } from '../kit/metric.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import { until } from '../kit/until.ts'

const scheduler = await startSchedulerProcess(t, {
  scheduler: {
    steering: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0' },
    admin: { listen: '127.0.0.1:0' },
    trustedProxies: ['127.0.0.0/8'],
    // With a line for each request they go another way.
    accessLog: false,
  },
})
for (const id of ['gz-1', 'fra-1']) {
  // One that has long run takes its whole share.
  scheduler.keepReporting(id, { uptimeMs: 1e9 })
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  await scheduler.untilState(id, 'up')
}

const REDIRECTS = 'edgeward_scheduler_answers_total{outcome="redirect",property="shows"}'

function asking(path: string, client = '203.0.113.9', more = '', start = 'GET'): string {
  return `${start} ${path} HTTP/1.1\r\nHost: shows.example.com\r\nX-Forwarded-For: ${client}\r\n${more}\r\n`
}

const locationOn = (edge: string, path: string) => `http://${edge}.edges.example.com/~shows${path}`

t.test('one after the other, each client to its edge', async (t) => {
  const client = await openRaw(t, scheduler.steering)
  const asked: [string, string, string][] = [
    ['/a/main.m3u8', '203.0.113.9', 'gz-1'],
    ['/a/main.m3u8?t=%20x&u', '198.51.100.9', 'fra-1'],
    ['/b/1/2.ts', '2001:db8:c::9', 'gz-1'],
    ['/', '2001:DB8:C:0::9', 'gz-1'],
  ]
  for (const [path, address, edge] of asked) {
    client.send(asking(path, address))
    // oxlint-disable-next-line no-await-in-loop -- on one connection
    const reply = await client.read()
    t.match(reply, { status: 302, reason: 'Found' })
    t.equal(reply?.headers.get('location'), locationOn(edge, path))
    t.equal(reply?.headers.get('content-length'), '0')
    t.equal(reply?.headers.get('cache-control'), 'no-store')
    t.equal(reply?.headers.get('access-control-allow-origin'), '*')
    t.ok(Math.abs(Date.parse(reply?.headers.get('date') ?? '') - systemClock.now()) < 5000, 'dated')
  }
})

t.test('several in one piece, and one in many pieces, are answered in their order', async (t) => {
  const client = await openRaw(t, scheduler.steering)
  const paths = Array.from({ length: 20 }, (_, i) => `/p${i}/x`)
  client.send(paths.map((path) => asking(path)).join(''))
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    t.equal((await client.read())?.headers.get('location'), locationOn('gz-1', path))
  }
  const [first = '', ...rest] = asking('/pieces/x').match(/[^]{1,7}/g) ?? []
  client.send(first)
  for (const piece of rest) {
    // oxlint-disable-next-line no-await-in-loop -- each in a packet of its own
    await new Promise((resolve) => setTimeout(resolve, 5))
    client.send(piece)
  }
  t.equal((await client.read())?.headers.get('location'), locationOn('gz-1', '/pieces/x'))
})

t.test('what is asked otherwise is answered otherwise, on the same connection', async (t) => {
  const client = await openRaw(t, scheduler.steering)
  const answers: [string, number][] = [
    [asking('/a/x'), 302],
    [asking('/.edgeward/health'), 200],
    [asking('/~nothing/x'), 404],
    [asking('/a/x?~not=gz-1'), 302],
    [asking('/a/x', '203.0.113.9', '', 'OPTIONS'), 204],
    [asking('/a/x').replace('shows.example.com', 'nobody.example.com'), 404],
    [asking('/a/x', '203.0.113.9, 127.0.0.1'), 302],
    [asking('/a/x', 'nobody'), 302],
    [asking('/a/x', '203.0.113.9', 'Connection: close\r\n'), 302],
  ]
  for (const [request, status] of answers) {
    client.send(request)
    // oxlint-disable-next-line no-await-in-loop -- on one connection
    t.equal((await client.read())?.status, status, request.split('\r\n').join(' '))
  }
  t.equal(await client.closed, false, 'closed as it was asked')
})

t.test('a client that has closed its side reads its answer', async (t) => {
  const client = await openRaw(t, scheduler.steering)
  client.socket.end(asking('/half/x'))
  t.equal((await client.read())?.headers.get('location'), locationOn('gz-1', '/half/x'))
  t.equal(await client.closed, false)
})

t.test('each is counted', async (t) => {
  const before = await metricOf(scheduler.admin, REDIRECTS)
  const client = await openRaw(t, scheduler.steering)
  client.send(Array.from({ length: 100 }, (_, i) => asking(`/c${i}/x`)).join(''))
  // oxlint-disable-next-line no-await-in-loop -- in order
  for (let i = 0; i < 100; i++) await client.read()
  await until('a hundred more', async () => (await metricOf(scheduler.admin, REDIRECTS)) === before + 100)
  client.leave()
})

t.test('a connection is drained behind its answer', async (t) => {
  const client = await openRaw(t, scheduler.steering)
  client.send(asking('/last/x'))
  t.equal((await client.read())?.status, 302)
  const stopped = scheduler.daemon.stop()
  t.equal(await client.readAll().then(String), '')
  t.equal(await client.closed, false)
  await stopped
})
