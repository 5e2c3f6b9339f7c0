// An origin that goes on failing is left alone, and found back: another serves meanwhile, or what is stored, or clients are
// told at once instead of after a time limit.
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FIELDS = { 'Cache-Control': 'no-store' }
const GONE = {
  status: 503,
  headers: { 'proxy-status': 'solo; error=destination_unavailable', 'retry-after': /\d/ },
}
/** Longer than a busy machine takes for an answer. */
const timeouts = { head: '800ms' }

const stored = { body: 'stored', fields: { 'Cache-Control': 'max-age=0', ETag: '"1"' } }
const origin = await startOrigin(t, { '/film': { body: 'one', fields: FIELDS }, '/stored': stored })
const other = await startOrigin(t, { '/film': { body: 'other', fields: FIELDS } })
const edge = await startEdge(t, {
  origin: '',
  config: {
    origins: [
      { id: 'one', url: origin.url, timeouts },
      { id: 'alone', url: origin.url, timeouts },
      { id: 'other', url: other.url },
    ],
  },
  properties: [
    { id: 'both', hosts: ['both'], origins: [{ id: 'one' }, { id: 'other' }] },
    { id: 'alone', hosts: ['alone'], origins: [{ id: 'alone' }], methods: ['GET', 'POST'] },
  ],
})
const UPLOADS = 'edgeward_edge_upstream_places_used{upstream="alone",kind="origin",place="passing"}'
const ask = (property: string, path = '/film') => get(edge.url + path, { headers: { Host: property } })
const isOpen = async (id: string) =>
  (await metricOf(edge.admin, `edgeward_edge_upstream_open{upstream="${id}",kind="origin"}`)) === 1

async function failUntilOpen(property: string, path?: string): Promise<void> {
  for (let i = 0; i < 5; i++) await ask(property, path)
  if (!(await isOpen(property))) throw new Error(`${property} is not left alone`)
}

t.test('five failures in a row: others are asked, and one request at a time finds out', async (t) => {
  origin.on('/film', { status: 500, fields: FIELDS })
  for (let i = 0; i < 4; i++) await ask('both')
  t.notOk(await isOpen('one'))
  await ask('both')
  t.ok(await isOpen('one'))
  const before = origin.count('/film')
  const replies = await Promise.all(Array.from({ length: 50 }, () => ask('both')))
  t.same(new Set(replies.map(({ text }) => text)), new Set(['other']))
  t.ok(origin.count('/film') - before <= 1, 'one at most')
  origin.on('/film', { body: 'one', fields: FIELDS })
  await until('it serves again', async () => (await ask('both')).text === 'one')
  t.notOk(await isOpen('one'))
})

t.test('gone, and nothing else to ask: told at once; what is stored is served', async (t) => {
  t.match(await ask('alone', '/stored'), { status: 200, text: 'stored' })
  await origin.stop()
  await failUntilOpen('alone')
  // All but the one in its turn, which finds out.
  const told = await until('others are told', async () => {
    const reply = await ask('alone')
    return reply.status === 503 && reply
  })
  t.match(told, GONE)
  t.match(await ask('alone', '/stored'), { status: 200, text: 'stored' })
  await origin.start()
  await until('it is found back', async () => (await ask('alone')).text === 'one')
})

t.test('there, but silent: nobody but the first waits for its time limit', async (t) => {
  t.equal((await ask('alone')).text, 'one')
  for (const path of ['/film', '/stored']) origin.on(path, { ...stored, pauseAt: 'head' })
  await failUntilOpen('alone')
  const asked = origin.count('/film')
  const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => ask('alone', `/film?${i}`)))
  t.ok(replies.filter(({ status }) => status === 503).length >= 19, 'one finds out, perhaps')
  t.ok(origin.count('/film') - asked <= 1)
  t.match(await ask('alone', '/stored'), { status: 200, text: 'stored' })
  origin.resume('/film')
  origin.resume('/stored')
  await until('it is found back', async () => (await ask('alone')).status === 200)
})

t.test('it answers with errors, and is all there is: its answers are better than none', async (t) => {
  origin.on('/busy', { status: 503, body: 'busy', fields: FIELDS })
  await failUntilOpen('alone', '/busy')
  t.match(await ask('alone', '/busy'), { status: 503, text: 'busy' })
})

/** Whoever knows of something slow, or begins uploads and hangs up, could else have all others refused. */
t.test(
  'what is slow for one while others are answered, and uploads that break off, are not held against it',
  async (t) => {
    origin.on('/fine', { body: 'fine', fields: FIELDS })
    await until('it serves', async () => (await ask('alone', '/fine')).status === 200)
    origin.on('/slow', { ...stored, pauseAt: 'head' })
    const slow = Array.from({ length: 8 }, (_, i) => ask('alone', `/slow?${i}`))
    await origin.asked('/slow')
    t.equal((await ask('alone', '/fine')).text, 'fine')
    for (const { status } of await Promise.all(slow)) t.equal(status, 504)
    t.notOk(await isOpen('alone'))

    const begun = 'POST /upload HTTP/1.1\r\nHost: alone\r\nContent-Length: 10\r\n\r\nabc'
    origin.on('/upload', { ...stored, pauseAt: 'head' })
    for (let i = 1; i <= 8; i++) {
      const client = await openRaw(t, edge.url)
      client.send(begun)
      await origin.asked('/upload', i)
      client.leave()
      await until('it has broken off', async () => (await metricOf(edge.admin, UPLOADS)) === 0 || undefined)
    }
    t.notOk(await isOpen('alone'))
    t.equal((await ask('alone', '/fine')).text, 'fine')
  },
)
