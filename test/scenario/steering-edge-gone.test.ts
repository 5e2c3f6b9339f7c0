// Edges come and go: none that is gone is given to a new session, and clients are answered all the while.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { openRaw } from '../kit/raw-client.ts'
import { bytesOf } from '../kit/bytes.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }
const NORTH = { edges: ['n-1', 'n-2', 'n-3'], networks: ['192.0.2.0/24'] }
const SOUTH = { edges: ['s-1'], networks: ['198.51.100.0/24'] }

/** Asks for one new session after another, each for another asset. */
class Sessions {
  readonly #cluster: Cluster
  #asset = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async ask(from = '192.0.2.7'): Promise<{ edge: string | undefined; reply: Reply }> {
    const headers = { Host: 'shows.example.com', 'X-Forwarded-For': from }
    const reply = await get(`${this.#cluster.steering}/${this.#asset++}/main.m3u8`, { headers })
    const location = String(reply.headers.location)
    const edge = [...this.#cluster.edges.values()].find(({ url }) => location.startsWith(`${url}/`))
    return { edge: edge?.id, reply }
  }
}

t.test('after SIGKILL no new session goes to the edge within 5 s', { timeout: 120_000 }, async (t) => {
  const origin = await startOrigin(t, {})
  const cluster = await startCluster(t, { origin: origin.url, sites: { north: NORTH, south: SOUTH } })
  const sessions = new Sessions(cluster)
  const before = await Promise.all(Array.from({ length: 60 }, () => sessions.ask()))
  t.strictSame(
    new Set(before.map(({ edge }) => edge)),
    new Set(NORTH.edges),
    'all of the site share the sessions',
  )

  await cluster.edge('n-2').stop('SIGKILL')
  const killedMs = systemClock.monotonic()
  let lastMs = 0
  let asked = 0
  const refused: number[] = []
  for (let sinceMs = 0; sinceMs < 7000; sinceMs = systemClock.monotonic() - killedMs) {
    const { edge, reply } = await sessions.ask()
    asked++
    if (reply.status !== 302) refused.push(reply.status)
    if (edge === 'n-2') lastMs = sinceMs
    await delay(10)
  }

  t.comment(`the last of ${asked} new sessions sent to the dead edge: after ${Math.round(lastMs)} ms`)
  t.ok(asked > 100, 'asked all the time')
  t.ok(lastMs < 5000, `${lastMs} ms`)
  t.strictSame(refused, [], 'every session was sent somewhere')

  await cluster.edge('n-2').start()
  await until('the edge that came back gets sessions', async () => (await sessions.ask()).edge === 'n-2')
})

t.test(
  'a site without edges hands its clients to another; no edge at all is 503',
  { timeout: 120_000 },
  async (t) => {
    const origin = await startOrigin(t, {})
    const north = { edges: ['n-1'], networks: NORTH.networks }
    const cluster = await startCluster(t, { origin: origin.url, sites: { north, south: SOUTH } })
    const sessions = new Sessions(cluster)
    t.equal((await sessions.ask('192.0.2.7')).edge, 'n-1')
    t.equal((await sessions.ask('198.51.100.7')).edge, 's-1')

    await cluster.edge('n-1').stop('SIGKILL')
    await until('the other site takes them', async () => (await sessions.ask('192.0.2.7')).edge === 's-1')
    await cluster.edge('s-1').stop('SIGKILL')
    const { reply } = await until('nobody is left', async () => {
      const asked = await sessions.ask()
      return asked.reply.status === 503 ? asked : undefined
    })
    t.ok(Number(reply.headers['retry-after']) > 0)
  },
)

t.test(
  'an edge that drains gets no new session, and finishes what it has',
  { timeout: 120_000 },
  async (t) => {
    const body = bytesOf(1, 300_000)
    const origin = await startOrigin(t, { '/film': { body, fields: FRESH, pauseAt: 100_000 } })
    const cluster = await startCluster(t, { origin: origin.url, sites: { north: NORTH } })
    const sessions = new Sessions(cluster)
    const viewer = await openRaw(t, cluster.edge('n-1').url)
    viewer.send('GET /~shows/film HTTP/1.1\r\nHost: n-1\r\n\r\n')
    t.ok(await viewer.has(50_000))

    cluster.edge('n-1').process.signal('SIGTERM')
    await until('the scheduler knows', async () => (await cluster.states()).get('n-1') !== 'up', 3000)
    const after = await Promise.all(Array.from({ length: 200 }, () => sessions.ask()))
    t.notOk(after.some(({ edge }) => edge === 'n-1'))
    t.ok(after.every(({ reply }) => reply.status === 302))
    origin.resume('/film')

    t.ok((await viewer.read())?.body.equals(body))
    t.strictSame(await cluster.edge('n-1').process.exited, { code: 0, signal: null })
  },
)

t.test('edges serve on without the scheduler', { timeout: 120_000 }, async (t) => {
  const origin = await startOrigin(t, {
    '/x': { body: 'x', fields: FRESH },
    '/y': { body: 'y', fields: FRESH },
  })
  const cluster = await startCluster(t, { origin: origin.url, sites: { north: { edges: ['n-1'] } } })
  const edge = cluster.edge('n-1')
  t.equal((await get(`${edge.url}/~shows/x`)).text, 'x')
  await cluster.scheduler.stop('SIGKILL')
  t.equal((await get(`${edge.url}/~shows/y`)).text, 'y')

  await edge.restart('SIGKILL')
  t.equal((await get(`${edge.url}/~shows/x`)).text, 'x', 'its last configuration is on its disk')
})
