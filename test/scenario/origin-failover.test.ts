// One origin fails, in one of the ways in which origins do, and another is asked: once, in order, and only where the
// request may be repeated. What clients see is the answer of the one that serves.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { ScriptedOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FIELDS = { 'Cache-Control': 'no-store' }
const NAMES = ['one', 'two', 'three', 'four'] as const

interface Rig {
  readonly edge: TestEdge
  readonly origins: Readonly<Record<(typeof NAMES)[number], ScriptedOrigin>>
  readonly ask: (property: string, path: string, method?: string) => ReturnType<typeof get>
  /** Which of them were asked for a path, in the order of their names. */
  readonly asked: (path: string) => string
}

async function startRig(t: Parameters<typeof startEdge>[0]): Promise<Rig> {
  const scripts = {
    '/film': { body: 'film', fields: FIELDS },
    '/missing': { status: 404, body: 'missing', fields: FIELDS },
    '/busy': { status: 503, body: 'busy', fields: FIELDS },
  }
  const start = () => startOrigin(t, scripts)
  const origins = { one: await start(), two: await start(), three: await start(), four: await start() }
  const uses = NAMES.map((id) => ({ id }))
  const edge = await startEdge(t, {
    origin: '',
    config: {
      // Longer than a busy machine takes for an answer.
      origins: NAMES.map((id) => ({
        id,
        url: origins[id].url,
        timeouts: { head: '1500ms', body: '1500ms' },
      })),
    },
    properties: [
      { id: 'plain', hosts: ['plain'], methods: ['GET', 'HEAD', 'POST'], origins: uses },
      { id: 'twice', hosts: ['twice'], origins: uses, failover: { attempts: 2 } },
      { id: 'missing', hosts: ['missing'], origins: uses, failover: { statuses: [404] } },
      {
        id: 'backup',
        hosts: ['backup'],
        origins: [{ id: 'one', backup: true }, { id: 'two' }, { id: 'three' }],
      },
    ],
  })
  return {
    edge,
    origins,
    ask: (property, path, method = 'GET') => get(edge.url + path, { method, headers: { Host: property } }),
    asked: (path) => NAMES.filter((name) => origins[name].count(path) > 0).join(),
  }
}

const { edge, origins, ask, asked } = await startRig(t)

t.test('statuses of a server in trouble', async (t) => {
  origins.one.on('/a', { status: 502 })
  origins.two.on('/a', { status: 500 })
  origins.three.on('/a', { body: 'a' })
  t.match(await ask('plain', '/a'), { status: 200, text: 'a' })
  t.equal(asked('/a'), 'one,two,three')
  t.match(await ask('plain', '/missing'), { status: 404 })
  t.equal(asked('/missing'), 'one', 'an answer like any other')
})

t.test('backups when all others have failed', async (t) => {
  for (const name of ['two', 'three'] as const) origins[name].on('/b', { status: 500 })
  origins.one.on('/b', { body: 'backup' })
  t.match(await ask('backup', '/b'), { status: 200, text: 'backup' })
  t.equal(asked('/b'), 'one,two,three')
  origins.two.on('/c', { body: 'two' })
  t.match(await ask('backup', '/c'), { status: 200, text: 'two' })
  t.equal(asked('/c'), 'two')
})

t.test('statuses of one’s own choice', async (t) => {
  origins.three.on('/late', { body: 'late' })
  t.match(await ask('missing', '/late'), { status: 200, text: 'late' })
  t.match(await ask('missing', '/busy'), { status: 503, text: 'busy' })
  t.equal(asked('/busy'), 'one', 'no longer among them')
  for (let i = 0; i < 6; i++) await ask('missing', `/lacking-${i}`)
  t.match(await ask('plain', '/film?lacked'), { status: 200 })
  t.ok(
    origins.one.requests('/film').some(({ target }) => target === '/film?lacked'),
    'one is in no doubt for what it lacks',
  )
})

t.test('as many attempts as the property has; the last answer is the answer', async (t) => {
  for (const name of NAMES) origins[name].on('/all', { status: 503, body: name })
  t.match(await ask('twice', '/all'), { status: 503, text: 'two' })
  t.equal(asked('/all'), 'one,two')
})

t.test('no answer in time, or half of one', async (t) => {
  origins.one.on('/slow', { pauseAt: 'head' })
  origins.two.on('/slow', { raw: 'not http at all\r\n\r\n' })
  origins.three.on('/slow', { body: 'in time' })
  t.match(await ask('plain', '/slow'), { status: 200, text: 'in time' })
  t.equal(asked('/slow'), 'one,two,three')
  origins.one.on('/half', { body: 'half of it', pauseAt: 4, fields: FIELDS })
  const half = await ask('plain', '/half').catch(() => null)
  t.not(half?.complete, true, 'what has begun is not taken for whole')
  origins.one.resume('/slow')
  origins.one.resume('/half')
})

t.test('what may not be repeated goes to one, once', async (t) => {
  origins.one.on('/form', { status: 503, body: 'one' })
  t.match(await ask('plain', '/form', 'POST'), { status: 503, text: 'one' })
  t.equal(asked('/form'), 'one')
})

t.test('refused connections: none of many clients notices, and it is left alone', async (t) => {
  await origins.one.stop()
  const replies = await Promise.all(Array.from({ length: 80 }, (_, i) => ask('plain', `/film?${i}`)))
  t.same([...new Set(replies.map(({ status }) => status))], [200])
  const left = 'edgeward_edge_upstream_open{upstream="one",kind="origin"}'
  t.equal(await metricOf(edge.admin, left), 1)
  await origins.one.start()
  await until('it is asked again', async () => {
    await ask('plain', `/film?${systemClock.now()}`)
    return (await metricOf(edge.admin, left)) === 0
  })
})
