// Which origin is asked: in order, by weight, or by hash of the object; one asked beside another that is slow to answer; and
// how many requests at once.
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FIELDS = { 'Cache-Control': 'no-store' }
const PATHS = Array.from({ length: 200 }, (_, i) => `/${i % 10}/${i}.ts`)

function scripts(name: string) {
  const answer = { body: name, fields: FIELDS }
  return Object.fromEntries([...PATHS, '/slow', '/late', '/form', '/quick'].map((path) => [path, answer]))
}

const heavy = await startOrigin(t, scripts('heavy'))
const light = await startOrigin(t, scripts('light'))
const spare = await startOrigin(t, scripts('spare'))
const uses = [{ id: 'spare', weight: 0 }, { id: 'light' }, { id: 'heavy', weight: 3 }]
const edge = await startEdge(t, {
  origin: '',
  config: {
    origins: [
      { id: 'heavy', url: heavy.url },
      { id: 'light', url: light.url },
      { id: 'spare', url: spare.url },
      { id: 'narrow', url: spare.url, connections: 2 },
    ],
  },
  properties: [
    ...['order', 'weight', 'hash'].map((originChoice) => ({
      id: originChoice,
      hosts: [originChoice],
      origins: uses,
      originChoice,
    })),
    {
      id: 'hedged',
      hosts: ['hedged'],
      methods: ['GET', 'HEAD', 'POST'],
      origins: [{ id: 'heavy' }, { id: 'light' }],
      // Longer than a busy machine takes for an answer.
      failover: { hedge: '700ms' },
    },
    { id: 'narrow', hosts: ['narrow'], origins: [{ id: 'narrow' }] },
  ],
})
const ask = (property: string, path: string, method = 'GET') =>
  get(edge.url + path, { method, headers: { Host: property } })

/** Path → the origin that answered. */
async function answers(property: string): Promise<string[]> {
  return (await Promise.all(PATHS.map((path) => ask(property, path)))).map(({ text }) => text)
}

function share(names: readonly string[], name: string): number {
  return names.filter((found) => found === name).length / names.length
}

t.test('in order, though not the one without weight', async (t) => {
  t.equal(share(await answers('order'), 'light'), 1)
})

t.test('by weight', async (t) => {
  const [first, second] = [await answers('weight'), await answers('weight')]
  const all = [...first, ...second]
  // Four standard deviations around three quarters.
  t.ok(Math.abs(share(all, 'heavy') - 0.75) < 0.09, `${share(all, 'heavy')}`)
  t.equal(share(all, 'spare'), 0)
  t.notSame(first, second, 'by chance')
})

const hedges = (name: string) =>
  metricOf(edge.admin, `edgeward_edge_upstream_${name}{upstream="light",kind="origin"}`)

t.test('hedged: another is asked beside one that is slow', async (t) => {
  heavy.on('/slow', { body: 'heavy', fields: FIELDS, pauseAt: 'head' })
  t.match(await ask('hedged', '/slow'), { status: 200, text: 'light' })
  t.equal(heavy.count('/slow'), 1)
  t.match(await ask('hedged', '/quick'), { status: 200, text: 'heavy' })
  t.equal(light.count('/quick'), 0, 'not beside one that answers in time')
  heavy.on('/form', { body: 'heavy', fields: FIELDS, pauseAt: 'head' })
  const form = ask('hedged', '/form', 'POST')
  await heavy.paused('/form')
  const other = await ask('hedged', '/slow')
  t.equal(other.text, 'light', 'longer than a hedge waits')
  heavy.resume('/form')
  t.match(await form, { status: 200, text: 'heavy' })
  t.equal(light.count('/form'), 0, 'what may not be repeated is not')
  heavy.resume('/slow')

  for (const origin of [heavy, light]) origin.on('/late', { body: 'late', fields: FIELDS, pauseAt: 'head' })
  const late = ask('hedged', '/late')
  await light.paused('/late')
  heavy.resume('/late')
  t.match(await late, { status: 200 })
  light.resume('/late')
  t.equal(await hedges('hedges_total'), 3, 'each time that heavy was slow')
  t.equal(await hedges('hedges_answered_total'), 2, 'the last came too late')
})

t.test('as many requests at once as the origin takes; the others wait', async (t) => {
  const paths = PATHS.slice(0, 6)
  const before = paths.map((path) => spare.count(path))
  for (const path of paths) spare.on(path, { body: 'spare', fields: FIELDS, pauseAt: 'head' })
  const replies = Promise.all(paths.map((path) => ask('narrow', path)))
  const asked = () => paths.filter((path, i) => spare.count(path) > (before[i] ?? 0)).length
  await until(
    'four wait',
    async () =>
      (await metricOf(
        edge.admin,
        'edgeward_edge_upstream_places_waiting{upstream="narrow",kind="origin",place="filling"}',
      )) === 4,
  )
  // A place is taken before the request has come to the origin.
  await until('two are asked', () => asked() >= 2)
  t.equal(asked(), 2)
  for (const path of paths) spare.resume(path)
  t.same(new Set((await replies).map(({ status }) => status)), new Set([200]))
  t.equal(asked(), 6)
})

t.test('by hash: each object has its origin', async (t) => {
  const first = await answers('hash')
  t.ok(Math.abs(share(first, 'heavy') - 0.75) < 0.13, `${share(first, 'heavy')}`)
  t.equal(share(first, 'spare'), 0)
  t.same(await answers('hash'), first)
  await light.stop()
  const without = await answers('hash')
  t.same(
    without.filter((_, i) => first[i] === 'heavy'),
    first.filter((name) => name === 'heavy'),
  )
  t.equal(share(without, 'light'), 0)
  t.equal(share(without, 'spare'), 0, 'while one with weight serves')
  await light.start()
})
