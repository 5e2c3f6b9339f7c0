// Sessions: what makes one, how many may go on at once, when one ends, and what a listener is told.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { systemClock } from '../../src/clock.ts'
import { signTypeA } from '../../src/token/type-a.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { startHook } from '../kit/hook-server.ts'
import { metricOf } from '../kit/metric.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { ScriptedOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }
const PLAYLIST = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n'
const KEY = 'key-of-the-session-test'
const SESSIONS = 'edgeward_edge_sessions{property="all"}'

async function edgeWith(t: TestScope, property: object): Promise<{ edge: TestEdge; origin: ScriptedOrigin }> {
  const origin = await startOrigin(t, {
    '/v/a.m3u8': { body: PLAYLIST, fields: { ...FRESH, 'Content-Type': 'application/vnd.apple.mpegurl' } },
    '/v/a.ts': { body: 'media', fields: FRESH },
    '/v/poster.jpg': { body: 'picture', fields: FRESH },
  })
  const edge = await startEdge(t, {
    origin: origin.url,
    config: {
      trustedProxies: ['127.0.0.1/32'],
      properties: [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], ...property }],
    },
  })
  return { edge, origin }
}

interface Player {
  from: string
  agent?: string
  /** CMCD session. */
  sid?: string
}

function ask(edge: TestEdge, player: Player, path = '/v/a.m3u8'): Promise<Reply> {
  const cmcd = player.sid === undefined ? {} : { 'CMCD-Session': `sf=h,sid="${player.sid}",st=v` }
  const headers = { 'X-Forwarded-For': player.from, 'User-Agent': player.agent ?? 'player/1', ...cmcd }
  return get(edge.url + path, { headers })
}

t.test('a new session over the property’s limit is refused, a running one never', async (t) => {
  const { edge } = await edgeWith(t, { limits: { sessions: 2, sessionIdle: '2s' } })
  const [one, two, three] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((from) => ({ from }))
  if (one === undefined || two === undefined || three === undefined) throw new Error('three players')
  t.equal((await ask(edge, one)).status, 200)
  t.equal((await ask(edge, two)).status, 200)
  const refused = await ask(edge, three)
  t.match(refused, { status: 503, text: 'denied: property_sessions\n', headers: { 'retry-after': '2' } })
  t.equal((await ask(edge, one, '/v/a.ts')).status, 200, 'the first plays on')
  t.equal((await ask(edge, three, '/v/poster.jpg')).status, 200, 'a picture begins no session')
  t.equal(await metricOf(edge.admin, SESSIONS), 2)

  // One goes on, the other ends; its place is then the third's.
  await until('there is room', async () => {
    t.equal((await ask(edge, one, '/v/a.ts')).status, 200)
    return (await ask(edge, three)).status === 200
  })
  t.equal((await ask(edge, one, '/v/a.ts')).status, 200)
  t.equal((await ask(edge, two)).status, 503, 'the second has to come anew')
})

t.test('sessions of one client, told apart by player; another’s sid is not borrowed', async (t) => {
  const { edge } = await edgeWith(t, { limits: { client: { sessions: 2 } } })
  const from = '192.0.2.1'
  t.equal((await ask(edge, { from, sid: 'one' })).status, 200)
  t.equal((await ask(edge, { from, sid: 'two' })).status, 200)
  t.match(await ask(edge, { from, sid: 'three' }), { status: 429, text: 'denied: client_sessions\n' })
  t.match(await ask(edge, { from, agent: 'other/2' }), { status: 429 }, 'nor one without a sid')
  t.equal((await ask(edge, { from, sid: 'one' }, '/v/a.ts')).status, 200)
  t.equal((await ask(edge, { from: '192.0.2.2', sid: 'one' })).status, 200)
  t.equal(await metricOf(edge.admin, SESSIONS), 3, 'the same sid from elsewhere is another session')
  const inQuery = encodeURIComponent('sf=h,sid="two"')
  const headers = { 'X-Forwarded-For': from }
  t.equal((await get(`${edge.url}/v/a.ts?CMCD=${inQuery}`, { headers })).status, 200, 'in the query as well')
})

t.test('a session goes on for as long as a reply of it runs', async (t) => {
  const { edge, origin } = await edgeWith(t, { limits: { sessions: 1, sessionIdle: '500ms' } })
  origin.on('/v/long.ts', { body: 'x'.repeat(2000), fields: FRESH, pauseAt: 1000 })
  const long = ask(edge, { from: '192.0.2.1' }, '/v/long.ts')
  await origin.paused('/v/long.ts')
  t.equal((await ask(edge, { from: '192.0.2.2' })).status, 503)
  // More than twice its idle time: there is no event for what does not happen.
  await wait(1200)
  t.equal((await ask(edge, { from: '192.0.2.2' })).status, 503, 'it runs still')
  origin.resume('/v/long.ts')
  t.equal((await long).body.length, 2000)
  await until('it has ended', async () => (await ask(edge, { from: '192.0.2.2' })).status === 200)
})

for (const carry of ['rewrite', 'path']) {
  t.test(`one session from a signed playlist to its segments, carried by ${carry}`, async (t) => {
    const { edge } = await edgeWith(t, {
      access: { tokens: { scheme: 'type-a', keys: [KEY], carry } },
      limits: { client: { sessions: 1 } },
    })
    const from = '192.0.2.1'
    const nowMs = systemClock.now()
    const signed = signTypeA({ keys: [KEY] }, '/v/a.m3u8', { nowMs, expiresMs: nowMs + 600_000 })
    for (const round of ['first', 'reload']) {
      const playlist = await askThrough(edge, { from }, signed)
      t.equal(playlist.reply.status, 200, round)
      const uri = playlist.reply.text.split('\n').find((line) => line !== '' && !line.startsWith('#')) ?? ''
      const segment = new URL(uri, edge.url + playlist.path)
      const media = await ask(edge, { from }, segment.pathname + segment.search)
      t.match(media, { status: 200, text: 'media' }, round)
      t.equal(await metricOf(edge.admin, SESSIONS), 1)
    }
    t.match(await ask(edge, { from, agent: 'other/2' }, signed), {
      status: 429,
      text: 'denied: client_sessions\n',
    })
  })
}

/** Follows the one redirect that puts a grant into the path. */
async function askThrough(
  edge: TestEdge,
  player: Player,
  path: string,
): Promise<{ reply: Reply; path: string }> {
  const reply = await ask(edge, player, path)
  const location = reply.headers.location
  return location === undefined
    ? { reply, path }
    : { reply: await ask(edge, player, location), path: location }
}

const eventSchema = z.looseObject({ id: z.string(), kind: z.string(), session: z.string().optional() })

t.test('a listener hears when a session starts and what it was when it ends', async (t) => {
  const hook = await startHook(t, () => ({ status: 204 }))
  const { edge } = await edgeWith(t, { limits: { sessionIdle: '3s' }, events: { url: hook.url } })
  const player = { from: '192.0.2.1', sid: 'abc' }
  await ask(edge, player)
  await ask(edge, player, '/v/a.ts')
  await ask(edge, player, '/v/a.ts?token=never-told')
  const heard = await until('both events', () => {
    const events = hook.events().map((event) => eventSchema.parse(event))
    return events.length >= 2 && events
  })
  t.match(heard, [
    { kind: 'session-start', property: 'all', edge: 'solo', session: 'abc', address: '192.0.2.1' },
    {
      kind: 'session-end',
      session: 'abc',
      address: '192.0.2.1',
      why: 'idle',
      requests: 3,
      bytes: PLAYLIST.length + 10,
      lastPath: '/v/a.ts',
      seconds: Number,
    },
  ])
  t.not(heard[0]?.id, heard[1]?.id)
  t.notMatch(hook.posts.map((post) => post.body).join('\n'), /never-told/)
})

t.test('SIGTERM ends sessions and tells so before the edge is gone', async (t) => {
  const hook = await startHook(t, () => ({ status: 200 }))
  const { edge } = await edgeWith(t, { events: { url: hook.url, kinds: ['session-end'] } })
  await ask(edge, { from: '192.0.2.1' })
  await ask(edge, { from: '192.0.2.2' })
  t.strictSame(await edge.stop('SIGTERM'), { code: 0, signal: null })
  t.match(hook.events(), [
    { kind: 'session-end', why: 'drained', address: '192.0.2.1' },
    { kind: 'session-end', why: 'drained', address: '192.0.2.2' },
  ])
})
