// A running edge under attack from both sides. After each attack it must answer others as before, hold no more
// memory than before, and have said nothing to a client that the origin slipped into a header.
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { ORIGIN_WAITING_MAX, PASSING_CONNECTIONS_MAX } from '../../edge/limits.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { RawClient } from '../kit/raw-client.ts'
import { endlessly, say, startRawOrigin } from '../kit/raw-origin.ts'
import type { RawScript } from '../kit/raw-origin.ts'
import { until } from '../kit/until.ts'

t.setTimeout(280_000)

const GET = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n\r\n`
const FRESH = 'Cache-Control: max-age=60\r\nETag: "a"\r\n'
const OK = `HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 2\r\nConnection: close\r\n\r\nok`
const MIB = 2 ** 20
/** What the runtime's own heap may grow by between two looks. */
const GROWTH_MAX = 160 * MIB

type Asserts = Pick<typeof t, 'match' | 'ok'>

function residentBytes(edge: TestEdge): number {
  const status = readFileSync(`/proc/${edge.process.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024
}

async function stillServes(t: Asserts, edge: TestEdge, before: number, after: string): Promise<void> {
  const reply = await get(`${edge.url}/ok`)
  t.match([reply.status, reply.text], [200, 'ok'], `serves after ${after}`)
  const grown = residentBytes(edge) - before
  t.ok(grown < GROWTH_MAX, `${Math.round(grown / MIB)} MiB more after ${after}`)
}

const chunked = `HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n`
const sized = (fields: string) => say(`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 2\r\n${fields}\r\n\r\nhi`)

/** Path → what the origin does, and what its client must see: a status, or a reply that is visibly cut. */
const HOSTILE: Record<string, [RawScript, number | 'cut']> = {
  '/cr-in-value': [sized('X-A: a\rSet-Cookie: injected'), 502],
  '/lf-in-value': [sized('X-A: a\nSet-Cookie: injected'), 502],
  '/nul-in-value': [sized('X-A: a\0injected'), 502],
  '/folded': [sized('X-A: a\r\n Set-Cookie: injected'), 502],
  '/space-in-name': [sized('X A: injected'), 502],
  '/space-before-colon': [sized('X-A : injected'), 502],
  '/two-lengths': [say(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\nhi`), 502],
  '/length-and-chunked': [say(`${chunked.slice(0, -2)}Content-Length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n`), 502],
  '/high-bytes': [sized('X-A: \xe9\xff'), 200],
  '/behind-the-length': [say(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected`), 200],
  '/cut-short': [say(`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 20\r\n\r\nhi`), 'cut'],
  '/bad-chunk': [say(`${chunked}2\r\nhi\r\nzz\r\n\r\n`), 'cut'],
  '/no-last-chunk': [say(`${chunked}2\r\nhi\r\n`), 'cut'],
  '/trailers': [say(`${chunked}2\r\nhi\r\n0\r\nSet-Cookie: injected\r\n\r\n`), 200],
  '/part-unasked': [
    say(`HTTP/1.1 206 P\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\nETag: "a"\r\n\r\nhi`),
    502,
  ],
  '/304-unasked': [say('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'), 502],
  '/switching': [say('HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\ninjected'), 502],
  '/status-000': [say('HTTP/1.1 000 X\r\nContent-Length: 8\r\n\r\ninjected'), 502],
  '/status-099': [say('HTTP/1.1 099 X\r\nContent-Length: 8\r\n\r\ninjected'), 502],
  '/status-999': [say(`HTTP/1.1 999 X\r\n${FRESH}Content-Length: 8\r\n\r\ninjected`), 502],
  '/coded-transfer': [say(`${chunked.replace('chunked', 'gzip, chunked')}2\r\nhi\r\n0\r\n\r\n`), 502],
  '/early-end': [say(`HTTP/1.1 103 E\r\nConnection: close\r\n\r\n${OK}`), 502],
  '/early-length': [say(`HTTP/1.1 103 E\r\nContent-Length: 9\r\n\r\n${OK}`), 200],
  '/early-coded': [say(`HTTP/1.1 103 E\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n${OK}`), 200],
  '/endless-trailers': [endlessly(`${chunked}2\r\nhi\r\n0\r\n`, `X-A: ${'a'.repeat(1000)}\r\n`), 'cut'],
  '/no-http': [say('injected\r\n\r\n'), 502],
  '/petabyte': [say(`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 999999999999999\r\n\r\n`), 502],
  '/endless-head': [endlessly('HTTP/1.1 200 OK\r\n', `X-A: ${'a'.repeat(1000)}\r\n`), 502],
  '/endless-100': [endlessly('', 'HTTP/1.1 100 Continue\r\n\r\n'), 502],
  '/endless-103': [endlessly('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 502],
}

t.test('an origin that says anything at all', async (t) => {
  const scripts = Object.fromEntries(Object.entries(HOSTILE).map(([path, [script]]) => [path, script]))
  const edge = await startEdge(t, { origin: await startRawOrigin(t, scripts), slice: '16KiB' })
  await get(`${edge.url}/ok`)
  const before = residentBytes(edge)
  for (const [path, [, expected]] of Object.entries(HOSTILE)) {
    for (const round of ['cold', 'again']) {
      const reply = await get(edge.url + path).catch(() => null)
      if (expected === 'cut')
        t.ok(reply === null || !reply.complete || reply.status === 502, `${path} ${round}`)
      else t.equal(reply?.status, expected, `${path} ${round}`)
      t.notMatch(reply?.rawHeaders.join('\n') ?? '', /injected/, path)
      if (expected === 200) t.notMatch(reply?.text ?? '', /injected/, path)
    }
  }
  await stillServes(t, edge, before, 'all of it')
})

t.test(
  'an endless body costs as much memory as its slowest client lets it, and ends with its clients',
  async (t) => {
    const body = endlessly(chunked, `4000\r\n${'x'.repeat(0x4000)}\r\n`)
    const edge = await startEdge(t, { origin: await startRawOrigin(t, { '/endless': body }), slice: '64KiB' })
    await get(`${edge.url}/ok`)
    const before = residentBytes(edge)
    const clients: RawClient[] = []
    for (let i = 0; i < 20; i++) {
      const client = await openRaw(t, edge.url)
      clients.push(client)
      client.send(GET('/endless'))
      await client.has(MIB)
      client.pause()
    }
    await stillServes(t, edge, before, '20 endless bodies')
    for (const client of clients) client.leave()
    await until('no fetch is left', () => running(edge).then((count) => count === 0))
  },
)

t.test('clients that vanish in the middle', async (t) => {
  const body = endlessly(`HTTP/1.1 200 OK\r\n${FRESH}Content-Length: 1000000000\r\n\r\n`, 'x'.repeat(0x4000))
  const edge = await startEdge(t, { origin: await startRawOrigin(t, { '/film': body }), slice: '64KiB' })
  await get(`${edge.url}/ok`)
  const before = residentBytes(edge)
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => openRaw(t, edge.url)))
    for (const [i, client] of clients.entries()) client.send(GET(`/film-${i % 3}`))
    await Promise.all(clients.map((client) => client.has(10_000)))
    for (const [i, client] of clients.entries()) {
      if (i % 2 === 0) client.socket.resetAndDestroy()
      else client.leave()
    }
  }
  await stillServes(t, edge, before, '200 that vanished')
  await until('no fetch is left', () => running(edge).then((count) => count === 0))
})

t.test('a thousand connections that send a head byte by byte, or nothing, or half of one', async (t) => {
  const edge = await startEdge(t, { origin: await startRawOrigin(t, {}) })
  await get(`${edge.url}/ok`)
  const before = residentBytes(edge)
  const clients: RawClient[] = []
  for (let i = 0; i < 1000; i++) clients.push(await openRaw(t, edge.url))
  for (const [i, client] of clients.entries()) {
    if (i % 3 === 0) client.send('G')
    if (i % 3 === 1) client.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15_000)}`)
  }
  await stillServes(t, edge, before, 'a thousand slow heads')
  for (const client of clients) client.leave()
  await until('they are gone', () => connections(edge).then((count) => count <= 2))
})

t.test('floods: pipelined, oversized, of random targets', async (t) => {
  const edge = await startEdge(t, {
    origin: await startRawOrigin(t, {
      '/none': say('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno'),
    }),
    config: { accessLog: false },
  })
  await get(`${edge.url}/ok`)
  const before = residentBytes(edge)

  const flood = await openRaw(t, edge.url)
  flood.pause()
  flood.send(GET('/ok').repeat(200_000))
  await stillServes(t, edge, before, 'a pipelined flood')
  flood.leave()

  for (const bytes of [
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n`,
    `${GET('/').slice(0, -2)}X: ${'x'.repeat(9_000_000)}`,
  ]) {
    const client = await openRaw(t, edge.url)
    client.send(bytes)
    const reply = await client.read().catch(() => null)
    t.ok(reply === null || reply.status === 431 || reply.status === 414, `${reply?.status}`)
    client.leave()
  }
  await stillServes(t, edge, before, 'oversized heads')

  const random = Array.from({ length: 3000 }, (_, i) => GET(`/none-${i}?${'q'.repeat(500)}`)).join('')
  const busy = await openRaw(t, edge.url)
  busy.send(random)
  for (let i = 0; i < 3000; i++) {
    const reply = await busy.read()
    if (reply?.status !== 404) t.fail(`${reply?.status}`)
  }
  await stillServes(t, edge, before, '3000 names that are not there')
})

t.test('what follows a head that was handed over is read once, and as what it is', async (t) => {
  const edge = await startEdge(t, { origin: await startRawOrigin(t, {}) })
  const smuggled = GET('/smuggled')
  const attempts = [
    `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
    `GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    `GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    `GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n${smuggled}`,
    `GET /a HTTP/1.1\r\nHost: a\r\nX: y\n\n${smuggled}`,
    `GET /a HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n${smuggled}`,
  ]
  for (const attempt of attempts) {
    const client = await openRaw(t, edge.url)
    client.socket.end(GET('/ok') + attempt)
    const ended = await Promise.race([client.closed.then(() => true), delay(5000, false, { ref: false })])
    t.ok(ended, 'an answer or a close')
  }
  await until('the log is written', () => edge.log().some(({ path }) => path === '/a'))
  t.strictSame(
    edge.log().filter(({ path }) => path === '/smuggled'),
    [],
  )
})

/** More than the places there are for answers at their clients' pace, and than those for fills. */
const SLOW_READERS = PASSING_CONNECTIONS_MAX + 8

t.test('slow readers of what may not be stored do not shut others out of the origin', async (t) => {
  const body = endlessly(
    'HTTP/1.1 200 OK\r\nCache-Control: private\r\nContent-Length: 1000000000\r\n\r\n',
    'x'.repeat(0x4000),
  )
  const edge = await startEdge(t, { origin: await startRawOrigin(t, { '/private': body }) })
  const clients: RawClient[] = []
  const refused: string[] = []
  for (let i = 0; i < SLOW_READERS; i++) {
    const client = await openRaw(t, edge.url)
    client.send(GET('/private'))
    const head = await client.readHead()
    if (head?.status === 503) refused.push(head.headers.get('cache-status') ?? '')
    else await client.has(1000)
    client.pause()
    clients.push(client)
  }
  t.equal(refused.length, 8, 'one too many is told so, not kept waiting')
  t.match(refused[0], /detail=origin_busy/)
  t.equal((await get(`${edge.url}/ok`)).status, 200, 'what is shared finds a connection')
  for (const client of clients) client.leave()
  await until('no fetch is left', () => running(edge).then((count) => count === 0))
  const later = await openRaw(t, edge.url)
  later.send(GET('/private'))
  t.equal((await later.readHead())?.status, 200, 'their places are free again')
})

t.test('fetches that an origin does not answer: so many, then so many that wait, and no more', async (t) => {
  const edge = await startEdge(t, { origin: await startRawOrigin(t, { '/silent': () => {} }) })
  // As many connections as an origin has unless it says otherwise.
  const most = 64 + ORIGIN_WAITING_MAX
  const clients: RawClient[] = []
  for (let i = 0; i < most; i++) clients.push(await openRaw(t, edge.url))
  // All at once: none waits for longer than it may while others still come.
  for (const [i, client] of clients.entries()) client.send(GET(`/silent-${i}`))
  await until('all are under way', () => running(edge).then((count) => count === most))
  const reply = await get(`${edge.url}/ok`)
  t.equal(reply.status, 503)
  t.match(reply.headers['cache-status'], /detail=origin_busy/)
  t.equal(reply.headers['retry-after'], '2')
})

/** A number from the edge's metrics. */
async function metric(edge: TestEdge, name: string): Promise<number> {
  const { text } = await get(`${edge.admin}/metrics`)
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

const running = (edge: TestEdge) => metric(edge, 'edgeward_edge_fills_running')
const connections = (edge: TestEdge) => metric(edge, 'edgeward_edge_connections')
