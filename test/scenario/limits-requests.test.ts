// Requests a second and at once, of a client and of a property: exact counts, a Retry-After that is worth obeying,
// and the way back to the scheduler.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { ScriptedOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }

async function edgeWith(t: TestScope, limits: object): Promise<{ edge: TestEdge; origin: ScriptedOrigin }> {
  const origin = await startOrigin(t, { '/a.ts': { body: 'media', fields: FRESH } })
  const edge = await startEdge(t, {
    origin: origin.url,
    config: {
      trustedProxies: ['127.0.0.1/32'],
      properties: [
        { id: 'all', hosts: ['a.example'], origins: [{ id: 'studio' }], limits },
        { id: 'free', hosts: ['free.example'], origins: [{ id: 'studio' }] },
      ],
    },
  })
  await get(`${edge.url}/a.ts`, { headers: { Host: 'free.example' } })
  return { edge, origin }
}

function ask(edge: TestEdge, client: string, more: { path?: string; origin?: string } = {}): Promise<Reply> {
  const origin = more.origin === undefined ? {} : { Origin: more.origin }
  const headers = { Host: 'a.example', 'X-Forwarded-For': client, ...origin }
  return get(edge.url + (more.path ?? '/a.ts'), { headers })
}

async function statuses(asked: readonly Promise<Reply>[]): Promise<number[]> {
  return (await Promise.all(asked)).map((reply) => reply.status).toSorted((a, b) => a - b)
}

t.test(
  'one client over its requests: 429, and after Retry-After it is served',
  { timeout: 60_000 },
  async (t) => {
    // A request every four seconds: none comes back while a busy machine asks for these.
    const { edge } = await edgeWith(t, { client: { requests: { rate: 0.25, burst: 5 } } })
    const first = await statuses(Array.from({ length: 8 }, () => ask(edge, '192.0.2.1')))
    t.strictSame(first, [200, 200, 200, 200, 200, 429, 429, 429])

    const refused = await ask(edge, '192.0.2.1', { origin: 'https://player.example' })
    t.match(refused, { status: 429, text: 'denied: client_requests\n' })
    t.match(refused.headers['retry-after'], /^[1-4]$/)
    t.equal(refused.headers['cache-control'], 'no-store')
    t.equal(refused.headers['access-control-allow-origin'], '*', 'a page may read why')
    t.equal((await ask(edge, '192.0.2.2')).status, 200, 'another client is not over anything')
    t.equal((await get(`${edge.url}/a.ts`, { headers: { Host: 'free.example' } })).status, 200)

    await wait(Number(refused.headers['retry-after']) * 1000)
    t.equal((await ask(edge, '192.0.2.1')).status, 200)
    const refusals = await metricOf(
      edge.admin,
      'edgeward_edge_limit_refusals_total{property="all",reason="client_requests"}',
    )
    t.equal(refusals, 4)
    const line = await until('the line of a refusal', () =>
      edge.log().find((entry) => entry['denied'] === 'client_requests'),
    )
    t.match(line, { status: 429, client: String })
  },
)

t.test('an IPv6 client is its /64, an IPv4-mapped one its IPv4 address', { timeout: 60_000 }, async (t) => {
  const { edge } = await edgeWith(t, { client: { requests: { rate: 0.01, burst: 2 } } })
  const hosts = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:2::3']
  t.strictSame(await statuses(hosts.map((host) => ask(edge, host))), [200, 200, 429])
  t.equal((await ask(edge, '2001:db8:1:3::1')).status, 200, 'the next /64')
  const same = ['198.51.100.7', '::ffff:198.51.100.7', '::ffff:c633:6407']
  t.strictSame(await statuses(same.map((host) => ask(edge, host))), [200, 200, 429])
})

t.test('a property over its requests: 503 for whoever comes', { timeout: 60_000 }, async (t) => {
  const { edge } = await edgeWith(t, {
    requests: { rate: 0.2, burst: 10 },
    client: { requests: { rate: 0.1, burst: 3 } },
  })
  // What a client is refused for its own sake takes nothing from the others.
  const greedy = await statuses(Array.from({ length: 12 }, () => ask(edge, '192.0.2.1')))
  t.equal(greedy.filter((status) => status === 200).length, 3)
  const others = await Promise.all(Array.from({ length: 9 }, (_, i) => ask(edge, `192.0.2.${i + 10}`)))
  const served = others.filter(({ status }) => status === 200).length
  t.ok(served === 7 || served === 8, `${served} of the 7 that were left, and what came in meanwhile`)
  const refused = others.find(({ status }) => status === 503)
  t.match(
    refused,
    { text: 'denied: property_requests\n', headers: { 'retry-after': /^[1-5]$/ } },
    'said once',
  )
})

t.test('requests of one client at once', { timeout: 60_000 }, async (t) => {
  const { edge, origin } = await edgeWith(t, { client: { connections: 2 } })
  const slow = ['/slow-1.ts', '/slow-2.ts'].map((path) => {
    origin.on(path, { body: 'late', fields: FRESH, pauseAt: 'head' })
    return ask(edge, '192.0.2.1', { path })
  })
  await Promise.all([origin.asked('/slow-1.ts'), origin.asked('/slow-2.ts')])
  t.match(await ask(edge, '192.0.2.1'), { status: 429, text: 'denied: client_connections\n' })
  t.equal((await ask(edge, '192.0.2.2')).status, 200)
  origin.resume('/slow-1.ts')
  origin.resume('/slow-2.ts')
  t.strictSame(await statuses(slow), [200, 200])
  t.equal((await ask(edge, '192.0.2.1')).status, 200, 'a reply that is over counts no more')

  // One that leaves before its reply is counted out as well.
  origin.on('/slow-3.ts', { body: 'late', pauseAt: 'head' })
  for (let i = 0; i < 4; i++) {
    const client = await openRaw(t, edge.url)
    client.send('GET /slow-3.ts HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n')
    await origin.asked('/slow-3.ts', 1)
    client.socket.resetAndDestroy()
  }
  await until('it is served again', async () => (await ask(edge, '192.0.2.1')).status === 200)
})

t.test(
  'steer: back to the scheduler, which chooses another edge; never twice',
  { timeout: 60_000 },
  async (t) => {
    const origin = await startOrigin(t, { '/v/a.ts': { body: 'media', fields: FRESH } })
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { one: { edges: ['one-1', 'one-2'] } },
      property: { limits: { requests: { rate: 0.001, burst: 1 }, over: 'steer' } },
    })
    const first = cluster.edge('one-1')
    const served = await get(`${first.url}/~shows/v/a.ts?x=1`)
    t.equal(served.status, 200)
    const away = await get(`${first.url}/~shows/v/a.ts?x=1`)
    t.match(away, { status: 302, headers: { 'cache-control': 'no-store' } })
    t.equal(away.headers.location, `${cluster.steering}/~shows/v/a.ts?x=1&~not=one-1`)

    const steered = await get(away.headers.location ?? '')
    t.equal(steered.headers.location, `${cluster.edge('one-2').url}/~shows/v/a.ts?x=1&~not=one-1`)
    t.equal((await get(steered.headers.location ?? '')).status, 200, 'the other edge has room')
    const full = await get(steered.headers.location ?? '')
    t.match(full, { status: 503, text: 'denied: property_requests\n' }, 'it has been sent back before')
    t.ok(Number(full.headers['retry-after']) > 1)
    t.equal(origin.requests('/v/a.ts').filter(({ target }) => target.includes('~not')).length, 0)
  },
)

t.test(
  'what a client is over, it would be over elsewhere: refused, not steered',
  { timeout: 60_000 },
  async (t) => {
    const origin = await startOrigin(t, { '/v/a.ts': { body: 'media', fields: FRESH } })
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { one: { edges: ['one-1', 'one-2'] } },
      property: { limits: { client: { requests: { rate: 0.001, burst: 1 } }, over: 'steer' } },
    })
    const url = `${cluster.edge('one-1').url}/~shows/v/a.ts`
    t.equal((await get(url)).status, 200)
    t.match(await get(url), { status: 429, text: 'denied: client_requests\n' })
  },
)
