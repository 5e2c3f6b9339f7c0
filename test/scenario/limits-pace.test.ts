// Bodies at the pace of their property: a burst that leaves at once, then a rate that holds, whatever way a client
// asks for its bytes; and a bandwidth that replies share.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const MIB = 2 ** 20
const BODY = bytesOf(1, 4 * MIB)
const WAITING = 'edgeward_edge_paced_waiting'

/** An edge that has the film in its cache. Clients say who they are, as if through a proxy. */
async function edgeWith(t: TestScope, limits: object, config: object = {}): Promise<TestEdge> {
  const fields = { 'Cache-Control': 'max-age=600', ETag: '"v1"' }
  const origin = await startOrigin(t, { '/film.mp4': { body: BODY, fields } })
  const edge = await startEdge(t, {
    origin: origin.url,
    config: {
      trustedProxies: ['127.0.0.1/32'],
      properties: [
        { id: 'all', hosts: ['a.example'], origins: [{ id: 'studio' }], limits },
        { id: 'free', hosts: ['free.example'], origins: [{ id: 'studio' }] },
      ],
      ...config,
    },
  })
  return edge
}

function from(client: string, more: Record<string, string> = {}): { headers: Record<string, string> } {
  return { headers: { Host: 'a.example', 'X-Forwarded-For': client, ...more } }
}

t.test('the burst leaves at once, then the rate holds', { timeout: 60_000 }, async (t) => {
  const edge = await edgeWith(t, { response: { rate: '16Mbit', burst: '2MiB' } })
  await get(`${edge.url}/film.mp4`, { headers: { Host: 'free.example' } })
  let before = 0
  for (const client of ['192.0.2.1', '192.0.2.2']) {
    before = systemClock.monotonic()
    const burst = await get(`${edge.url}/film.mp4`, from(client, { Range: `bytes=0-${2 * MIB - 1}` }))
    t.ok(burst.body.equals(BODY.subarray(0, 2 * MIB)))
    const took = systemClock.monotonic() - before
    t.ok(took < 900, `2 MiB of burst in ${Math.round(took)} ms, 1049 ms at the rate`)
  }
  // The second's burst is used up: every byte of the film is paid for, since that began.
  const film = await get(`${edge.url}/film.mp4`, from('192.0.2.2'))
  const rate = (BODY.length / (systemClock.monotonic() - before)) * 1000
  t.ok(film.body.equals(BODY))
  t.comment(`${Math.round(rate)} bytes/s of 2000000`)
  // Never faster. Within three percent on a machine that has time; a busy one starts and ends late.
  t.ok(rate > 1_000_000 && rate < 2_020_000, `${Math.round(rate)} bytes/s of 2000000`)
})

t.test('small ranges get no more than one body', { timeout: 60_000 }, async (t) => {
  const edge = await edgeWith(t, { response: { rate: '16Mbit', burst: '256KiB' } })
  await get(`${edge.url}/film.mp4`, from('192.0.2.9', { Range: 'bytes=0-1' }))
  const before = systemClock.monotonic()
  const range = 64 * 1024
  const count = 24
  for (let i = 0; i < count; i++) {
    const headers = { Range: `bytes=${i * range}-${(i + 1) * range - 1}` }
    const part = await get(`${edge.url}/film.mp4`, from('192.0.2.1', headers))
    t.ok(part.status === 206 && part.body.equals(BODY.subarray(i * range, (i + 1) * range)))
  }
  const seconds = (systemClock.monotonic() - before) / 1000
  const rate = (count * range - 256 * 1024) / seconds
  t.ok(rate < 2_060_000, `${Math.round(rate)} bytes/s of 2000000 beyond the burst`)
})

t.test('without a body there is no pace', { timeout: 60_000 }, async (t) => {
  const edge = await edgeWith(t, { response: { rate: '8kbit', burst: '1KiB' } })
  const ranged = await get(`${edge.url}/film.mp4`, from('192.0.2.1', { Range: 'bytes=0-1023' }))
  t.equal(ranged.status, 206)
  const url = `${edge.url}/film.mp4`
  const before = systemClock.monotonic()
  t.equal(
    (await get(url, { ...from('192.0.2.1'), method: 'HEAD' })).headers['content-length'],
    String(4 * MIB),
  )
  t.equal((await get(url, from('192.0.2.1', { 'If-None-Match': '"v1"' }))).status, 304)
  t.equal((await get(url, from('192.0.2.1', { Range: 'bytes=99999999-' }))).status, 416)
  t.ok(systemClock.monotonic() - before < 2000)
})

t.test('a property’s bandwidth is shared fairly among its replies', { timeout: 60_000 }, async (t) => {
  const edge = await edgeWith(t, { bandwidth: '32Mbit' })
  await get(`${edge.url}/film.mp4`, { headers: { Host: 'free.example' } })
  await get(`${edge.url}/film.mp4`, from('192.0.2.9', { Range: 'bytes=0-1' }))
  const clients = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1']
  const before = systemClock.monotonic()
  // How long each has to wait for as much as the others: longer for a smaller share.
  const took = await Promise.all(
    clients.map(async (client) => {
      const part = await get(`${edge.url}/film.mp4`, from(client, { Range: `bytes=0-${3 * MIB - 1}` }))
      t.equal(part.body.length, 3 * MIB)
      return systemClock.monotonic() - before
    }),
  )
  const rate = (clients.length * 3 * MIB) / (Math.max(...took) / 1000)
  t.ok(rate < 4_200_000 && rate > 2_000_000, `${Math.round(rate)} bytes/s of 4000000, with its first 400000`)
  t.ok(Math.min(...took) > 0.7 * Math.max(...took), `${took.map(Math.round).join(', ')} ms`)
  await until('nobody waits', async () => (await metricOf(edge.admin, WAITING)) === 0)
})

t.test(
  'one client’s bandwidth holds over all it asks for, and leaves others alone',
  { timeout: 60_000 },
  async (t) => {
    const edge = await edgeWith(t, { client: { bandwidth: '16Mbit' } })
    await get(`${edge.url}/film.mp4`, from('192.0.2.9', { Range: 'bytes=0-1' }))
    const before = systemClock.monotonic()
    const ranges = [0, 1, 2].map((i) => `bytes=${i * MIB}-${(i + 1) * MIB - 1}`)
    const parts = await Promise.all(
      ranges.map((range, i) => {
        // Addresses of one /64.
        const headers = { Range: range }
        return get(`${edge.url}/film.mp4`, from(`2001:db8:0:1::${i + 1}`, headers))
      }),
    )
    const rate = (3 * MIB) / ((systemClock.monotonic() - before) / 1000)
    t.ok(parts.every((part, i) => part.body.equals(BODY.subarray(i * MIB, (i + 1) * MIB))))
    t.ok(
      rate < 2_300_000 && rate > 1_000_000,
      `${Math.round(rate)} bytes/s of 2000000, with its first 200000`,
    )
  },
)

t.test('a client that leaves while it waits is gone at once', { timeout: 60_000 }, async (t) => {
  const edge = await edgeWith(t, { response: { rate: '8kbit', burst: '1KiB' } })
  const client = await openRaw(t, edge.url)
  client.send('GET /film.mp4 HTTP/1.1\r\nHost: a.example\r\n\r\n')
  t.equal((await client.readHead())?.status, 200)
  await until('it waits', async () => (await metricOf(edge.admin, WAITING)) === 1)
  client.socket.resetAndDestroy()
  await until('nobody waits', async () => (await metricOf(edge.admin, WAITING)) === 0)
})

t.test('SIGTERM waits for paced replies no longer than its bound', { timeout: 60_000 }, async (t) => {
  const edge = await edgeWith(t, { response: { rate: '8kbit', burst: '1KiB' } }, { drain: '1s' })
  const client = await openRaw(t, edge.url)
  client.send('GET /film.mp4 HTTP/1.1\r\nHost: a.example\r\n\r\n')
  t.equal((await client.readHead())?.status, 200)
  const before = systemClock.monotonic()
  t.strictSame(await edge.stop('SIGTERM'), { code: 0, signal: null })
  const took = systemClock.monotonic() - before
  t.ok(took < 6000, `${Math.round(took)} ms with a bound of 1 s`)
})
