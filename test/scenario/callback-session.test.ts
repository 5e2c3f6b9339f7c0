// A property's own service says who may play: asked once a session, believed for a while, bounded when it is slow,
// dead, or talks nonsense.
import t from 'tap'
import { z } from 'zod'
import { systemClock } from '../../src/clock.ts'
import { signatureMatches } from '../../src/wire/callback.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { startHook } from '../kit/hook-server.ts'
import type { HookServer } from '../kit/hook-server.ts'
import { metricOf } from '../kit/metric.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const KEY = 'a secret of the hook'
const FRESH = { 'Cache-Control': 'max-age=600' }

async function edgeWith(
  t: TestScope,
  hook: HookServer,
  callback: object,
  more: object = {},
): Promise<TestEdge> {
  const origin = await startOrigin(t, { '/v/a.ts': { body: 'media', fields: FRESH } })
  return startEdge(t, {
    origin: origin.url,
    config: {
      trustedProxies: ['127.0.0.1/32'],
      properties: [
        {
          id: 'all',
          hosts: ['*'],
          origins: [{ id: 'studio' }],
          // Longer than a busy machine takes to answer.
          callback: { url: hook.url, onFailure: 'deny', timeout: '5s', ...callback },
          ...more,
        },
      ],
    },
  })
}

function ask(edge: TestEdge, from: string, headers: Record<string, string> = {}, query = ''): Promise<Reply> {
  const all = { 'X-Forwarded-For': from, 'User-Agent': 'player/1', ...headers }
  return get(`${edge.url}/v/a.ts${query}`, { headers: all })
}

t.test('a session is asked for once, however many of its requests come', { timeout: 60_000 }, async (t) => {
  const hook = await startHook(t, () => ({ status: 200 }))
  const edge = await edgeWith(t, hook, { key: KEY })
  const headers = { Referer: 'https://u:p@page.example/watch?token=never-told', Cookie: 'c=never-told' }
  const crowd = Array.from({ length: 20 }, () => ask(edge, '192.0.2.1', headers, '?token=never-told'))
  for (const reply of await Promise.all(crowd)) t.equal(reply.status, 200)
  t.equal((await ask(edge, '192.0.2.1')).status, 200)
  t.equal(hook.posts.length, 1)
  const [post] = hook.posts
  t.match(post?.json, {
    property: 'all',
    session: /^[0-9a-f]{32}$/,
    address: '192.0.2.1',
    path: '/v/a.ts',
    method: 'GET',
    referer: 'https://page.example/watch',
    userAgent: 'player/1',
    edge: 'solo',
    time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  })
  t.notMatch(post?.body, /never-told/)
  const signature = z.string().parse(post?.headers['edgeward-signature'])
  t.ok(signatureMatches(KEY, post?.body ?? '', signature))
  t.notOk(signatureMatches(KEY, `${post?.body} `, signature))
  t.equal((await ask(edge, '192.0.2.2')).status, 200)
  t.equal(hook.posts.length, 2, 'another client is another session')
})

t.test(
  'each refusal of the hook is the client’s, and holds like an admission',
  { timeout: 60_000 },
  async (t) => {
    const statuses = [401, 403, 404, 410, 429, 451]
    const hook = await startHook(t, (_, nth) => ({
      status: statuses[nth - 1] ?? 500,
      fields: { 'Retry-After': '7', 'WWW-Authenticate': 'Bearer realm="films"' },
      body: 'words of the hook',
    }))
    const edge = await edgeWith(t, hook, {})
    for (const [i, status] of statuses.entries()) {
      for (const round of ['asked', 'remembered']) {
        const reply = await ask(edge, `192.0.2.${i}`)
        t.match(reply, { status, text: 'denied: callback_denied\n' }, `${status}, ${round}`)
        t.equal(reply.headers['retry-after'], status === 429 ? '7' : undefined)
        t.equal(reply.headers['www-authenticate'], status === 401 ? 'Bearer realm="films"' : undefined)
      }
    }
    t.equal(hook.posts.length, statuses.length)
    t.equal(await metricOf(edge.admin, 'edgeward_edge_sessions{property="all"}'), 0)
  },
)

t.test('an answer holds as long as it says itself', { timeout: 60_000 }, async (t) => {
  const ages = ['max-age=0', 'no-store', 'max-age=600']
  const hook = await startHook(t, (_, nth) => ({
    status: 200,
    fields: { 'Cache-Control': ages[nth - 1] ?? '' },
  }))
  const edge = await edgeWith(t, hook, { cache: '60s' })
  for (const posts of [1, 2, 3, 3, 3]) {
    t.equal((await ask(edge, '192.0.2.1')).status, 200)
    t.equal(hook.posts.length, posts)
  }
})

t.test('a session that is refused later ends', { timeout: 60_000 }, async (t) => {
  const events = await startHook(t, () => ({ status: 200 }))
  const fields = { 'Cache-Control': 'no-store' }
  const hook = await startHook(t, (_, nth) => ({ status: nth === 1 ? 200 : 403, fields }))
  const edge = await edgeWith(t, hook, {}, { events: { url: events.url } })
  t.equal((await ask(edge, '192.0.2.1')).status, 200)
  t.equal((await ask(edge, '192.0.2.1')).status, 403)
  await until('three events', () => events.events().length >= 3)
  t.match(events.events(), [
    { kind: 'session-start' },
    { kind: 'session-end', why: 'denied' },
    { kind: 'denials', reason: 'callback_denied', status: 403, count: 1, seconds: 0 },
  ])
})

t.test('nonsense is no answer: what then holds is the property’s choice', { timeout: 60_000 }, async (t) => {
  for (const [onFailure, status] of [
    ['allow', 200],
    ['deny', 503],
  ] as const) {
    const elsewhere = await startHook(t, () => ({ status: 200 }))
    const hook = await startHook(t, (_, nth) => {
      if (nth === 1) return { status: 500 }
      if (nth === 2) return { status: 302, fields: { Location: elsewhere.url } }
      if (nth === 3) return 'cut'
      return { status: 200, body: 'x'.repeat(1_000_000) }
    })
    const edge = await edgeWith(t, hook, { onFailure })
    for (const round of [1, 2, 3]) {
      const reply = await ask(edge, `192.0.2.${round}`)
      t.equal(reply.status, status, `${onFailure}, ${round}`)
      if (status === 503)
        t.match(reply, { text: 'denied: callback_unanswered\n', headers: { 'retry-after': '2' } })
    }
    t.equal(elsewhere.posts.length, 0, 'a redirect is not followed')
    const counted = `edgeward_edge_callback_unanswered_total{property="all",outcome="${onFailure === 'allow' ? 'admitted' : 'denied'}"}`
    t.equal(await metricOf(edge.admin, counted), 3)
    t.equal((await ask(edge, '192.0.2.4')).status, 200, 'a long body does no harm')
  }
})

t.test(
  'a hook that hangs costs its timeout, then nothing; and is found when it is back',
  { timeout: 60_000 },
  async (t) => {
    const hook = await startHook(t, () => 'silence')
    const edge = await edgeWith(t, hook, { onFailure: 'allow', timeout: '1s' })
    const timed = async (from: string) => {
      const before = systemClock.monotonic()
      t.equal((await ask(edge, from)).status, 200, 'fails open')
      return systemClock.monotonic() - before
    }
    for (let i = 0; i < 5; i++) t.ok((await timed(`192.0.2.${i}`)) >= 995)
    t.equal(hook.posts.length, 5)
    const spared = await Promise.all(Array.from({ length: 20 }, (_, i) => timed(`198.51.100.${i}`)))
    t.ok(Math.max(...spared) < 990, `${Math.round(Math.max(...spared))} ms: nobody waits for it now`)
    t.equal(hook.posts.length, 5, 'nor is it asked')
    t.equal(await metricOf(edge.admin, 'edgeward_edge_callback_down{property="all"}'), 1)

    hook.script = () => ({ status: 403 })
    await until('it is asked again', async () => (await ask(edge, '192.0.2.99')).status === 403)
    t.equal(await metricOf(edge.admin, 'edgeward_edge_callback_down{property="all"}'), 0)
    t.equal((await ask(edge, '192.0.2.1')).status, 403, 'who came in meanwhile is asked for as well')
  },
)

t.test('a crowd of sessions meets a bound', { timeout: 60_000 }, async (t) => {
  const hook = await startHook(t, () => 'silence')
  const edge = await edgeWith(t, hook, { timeout: '6s' })
  const crowd = Array.from({ length: 400 }, (_, i) => ask(edge, `10.0.${i >> 8}.${i & 255}`))
  const first = await Promise.race(crowd)
  t.equal(first.status, 503, 'beyond the queue nobody waits')
  await hook.untilPosts(32)
  t.equal(hook.posts.length, 32)
  t.strictSame([...new Set((await Promise.all(crowd)).map(({ status }) => status))], [503])
})
