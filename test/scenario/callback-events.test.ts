// Events on their way to a receiver that is slow, dead or unwilling: batched, signed, tried again, bounded.
import t from 'tap'
import { z } from 'zod'
import { signatureMatches } from '../../src/wire/callback.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { startHook } from '../kit/hook-server.ts'
import { metricOf } from '../kit/metric.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const KEY = 'a secret of the receiver'

async function edgeWith(t: TestScope, url: string, more: object = {}): Promise<TestEdge> {
  const origin = await startOrigin(t, {
    '/a.ts': { body: 'media', fields: { 'Cache-Control': 'max-age=600' } },
  })
  return startEdge(t, {
    origin: origin.url,
    config: {
      trustedProxies: ['127.0.0.1/32'],
      properties: [
        { id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], events: { url, key: KEY }, ...more },
      ],
    },
  })
}

async function crowd(edge: TestEdge, count: number): Promise<void> {
  const asked = Array.from({ length: count }, (_, i) =>
    get(`${edge.url}/a.ts`, { headers: { 'X-Forwarded-For': `10.0.${i >> 8}.${i & 255}` } }),
  )
  await Promise.all(asked)
}

const idsSchema = z.array(z.object({ id: z.string() }))

t.test('many events go in few signed lists, each once', { timeout: 60_000 }, async (t) => {
  // Until all have come it takes nothing: how many lists the first ones go in is a matter of time.
  const hook = await startHook(t, () => ({ status: 503 }))
  const edge = await edgeWith(t, hook.url)
  await crowd(edge, 250)
  const refused = hook.posts.length
  hook.script = () => ({ status: 200 })
  const taken = () => hook.posts.slice(refused)
  const heard = () => taken().flatMap((post) => idsSchema.parse(post.json))
  await until('all events', () => heard().length >= 250)
  const ids = heard().map(({ id }) => id)
  t.equal(ids.length, 250)
  t.equal(new Set(ids).size, 250)
  t.ok(taken().length <= 4, `${taken().length} posts`)
  for (const post of hook.posts) {
    t.ok(signatureMatches(KEY, post.body, z.string().parse(post.headers['edgeward-signature'])))
  }
})

t.test('a receiver that is away for a moment misses nothing', { timeout: 60_000 }, async (t) => {
  const hook = await startHook(t, (_, nth) =>
    nth === 1 ? { status: 503 } : nth === 2 ? 'cut' : { status: 200 },
  )
  const edge = await edgeWith(t, hook.url)
  await crowd(edge, 3)
  await until('the third attempt', () => hook.posts.length >= 3)
  t.strictSame(hook.posts[2]?.json, hook.posts[0]?.json, 'the same events under the same ids')
  await until('counted', async () => (await metricOf(edge.admin, 'edgeward_edge_events_sent_total')) === 3)
  // Whoever was late for the first list is in another.
  const taken = hook.posts.slice(2).flatMap((post) => idsSchema.parse(post.json))
  t.strictSame([taken.length, new Set(taken.map(({ id }) => id)).size], [3, 3])
})

t.test('what a receiver refuses is not sent again', { timeout: 60_000 }, async (t) => {
  const hook = await startHook(t, (_, nth) => ({ status: nth === 1 ? 400 : 200 }))
  const edge = await edgeWith(t, hook.url)
  await crowd(edge, 1)
  await until('counted', async () => (await metricOf(edge.admin, 'edgeward_edge_events_failed_total')) === 1)
  await get(`${edge.url}/a.ts`, { headers: { 'X-Forwarded-For': '192.0.2.1' } })
  await until('the next', () => hook.posts.length >= 2)
  t.match(hook.posts[1]?.json, [{ kind: 'session-start', address: '192.0.2.1' }])
})

t.test(
  'a dead receiver: clients are served, the queue is bounded, SIGTERM is not held',
  { timeout: 60_000 },
  async (t) => {
    const hook = await startHook(t, () => ({ status: 200 }))
    await hook.stop()
    const edge = await edgeWith(t, hook.url)
    await crowd(edge, 2300)
    const waiting = await metricOf(edge.admin, 'edgeward_edge_events_waiting')
    const dropped = await metricOf(edge.admin, 'edgeward_edge_events_dropped_total')
    t.ok(waiting <= 2000 && waiting >= 1900, `${waiting} wait`)
    t.ok(dropped >= 100, `${dropped} dropped`)
    t.equal((await get(`${edge.url}/a.ts`)).status, 200)
    t.strictSame(await edge.stop('SIGTERM'), { code: 0, signal: null })
  },
)

t.test('a burst of denials: the first at once, the rest together', { timeout: 60_000 }, async (t) => {
  const hook = await startHook(t, () => ({ status: 200 }))
  const edge = await edgeWith(t, hook.url, {
    limits: { client: { requests: { rate: 0.001, burst: 1 } } },
    events: { url: hook.url, kinds: ['denials'] },
  })
  const headers = { 'X-Forwarded-For': '192.0.2.1' }
  for (let i = 0; i < 8; i++) await get(`${edge.url}/a.ts`, { headers })
  await until('the first', () => hook.events().length >= 1)
  t.match(hook.events(), [{ kind: 'denials', reason: 'client_requests', status: 429, count: 1, seconds: 0 }])
  t.equal(hook.events().length, 1)
  await until('the others', () => hook.events().length >= 2, 15_000)
  const [, others] = z.tuple([z.unknown(), z.looseObject({ seconds: z.number() })]).parse(hook.events())
  t.match(others, { reason: 'client_requests', count: 6, address: '192.0.2.1' })
  t.ok(others.seconds >= 10 && others.seconds < 15, `${others.seconds} s, a window and what a timer is late`)
})
