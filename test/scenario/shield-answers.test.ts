// What comes by way of a shield is what the origin would have given: heads, parts, bodies of unknown length, answers for
// one client, variants, errors, what still holds and what has changed.
import t from 'tap'
import { signTypeA } from '../../src/token/type-a.ts'
import { systemClock } from '../../src/clock.ts'
import { bytesOf } from '../kit/bytes.ts'
import { parseCacheStatus } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import type { Reply, RequestOptions } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { SLICE, tiersAt } from '../kit/tiered-cluster.ts'
import { until } from '../kit/until.ts'

const FILM = bytesOf(1, 9 * SLICE + 777)
const FRESH = { 'Cache-Control': 'max-age=600', ETag: '"a"' }
const KEY = 'key-of-those-who-paid'
const origin = await startOrigin(t, {})
const origins = [{ id: 'studio' }]
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { north: { edges: ['n-1', 'n-2'] }, south: { edges: ['s-1', 's-2'] } },
  edgeConfig: {
    cache: { memory: '64MiB', slice: '64KiB', directories: [{ path: './cache', size: '1GiB' }] },
  },
  property: { shield: 'north', methods: ['GET', 'HEAD', 'OPTIONS', 'POST'] },
  properties: [
    {
      id: 'paid',
      hosts: ['paid.example.com'],
      origins,
      shield: 'north',
      access: { tokens: { scheme: 'type-a', keys: [KEY] }, referer: { allow: ['*.example.com'] } },
    },
  ],
})
const [one, other] = [cluster.edge('s-1'), cluster.edge('s-2')]
// Those who are asked have to know, too, who asks them.
for (const [id, edge] of cluster.edges) {
  await until(`${id} knows whom to ask`, async () => {
    const tiers = await tiersAt(edge, 'shows')
    return tiers.length === (id.startsWith('s') ? 2 : 1) && tiers.every(({ edges }) => edges.length === 2)
  })
}

const ask = (edge: typeof one, path: string, options: RequestOptions = {}) =>
  get(`${edge.url}/~shows${path}`, options)
const both = (path: string, options: RequestOptions = {}) =>
  Promise.all([one, other, one, other].map((edge) => ask(edge, path, options)))
const signed = () => `/~paid${signTypeA({ keys: [KEY] }, '/paid.ts', { nowMs: systemClock.now() })}`
/** Through which sites it came, the first asked last. */
const hops = (reply: Reply) =>
  parseCacheStatus(String(reply.headers['cache-status'])).map(({ cache }) => cache.slice(0, 1))

t.test('heads, parts and wholes', async (t) => {
  origin.on('/film', {
    body: FILM,
    fields: { ...FRESH, 'Cache-Tag': 'film', 'CDN-Cache-Control': 'max-age=900' },
  })
  for (const head of await both('/film', { method: 'HEAD' }))
    t.match(head, { status: 200, headers: { 'content-length': String(FILM.length), etag: '"a"' } })
  const parts = [
    [0, 1],
    [SLICE - 1, SLICE + 1],
    [3 * SLICE + 5, 7 * SLICE],
    [FILM.length - 10, FILM.length],
  ] as const
  for (const [start, end] of parts) {
    for (const reply of await both('/film', { headers: { Range: `bytes=${start}-${end - 1}` } })) {
      t.match(reply, {
        status: 206,
        headers: { 'content-range': `bytes ${start}-${end - 1}/${FILM.length}` },
      })
      t.ok(reply.body.equals(FILM.subarray(start, end)))
    }
  }
  t.match(await ask(one, '/film', { headers: { Range: `bytes=${FILM.length}-` } }), { status: 416 })
  for (const reply of await both('/film')) t.ok(reply.complete && reply.body.equals(FILM))
  const reply = await ask(one, '/film')
  t.notOk('cache-tag' in reply.headers || 'edgeward-age' in reply.headers || 'edgeward-peer' in reply.headers)
  t.match(reply.headers, {
    'cdn-cache-control': 'max-age=900',
    'cache-status': /^n-\d; .*, s-1; hit; ttl=\d+$/,
  })
  const asked = origin.requests('/film').filter(({ method }) => method === 'GET')
  const begins = asked.map(({ headers }) => headers.range ?? 'all')
  t.equal(new Set(begins).size, begins.length, `each slice once: ${begins.join(' ')}`)
})

t.test('without ranges, in chunks, empty', async (t) => {
  origin.on('/whole', { body: FILM, fields: FRESH, ranges: 'ignore' })
  origin.on('/chunked', { body: FILM.subarray(0, 3 * SLICE), fields: FRESH, framing: 'chunked' })
  origin.on('/empty', { body: '', fields: FRESH })
  const headers = { Range: `bytes=${2 * SLICE}-${3 * SLICE}` }
  const [part, wholes] = await Promise.all([ask(one, '/whole', { headers }), both('/whole')])
  t.ok(part.body.equals(FILM.subarray(2 * SLICE, 3 * SLICE + 1)))
  for (const reply of wholes) t.ok(reply.complete && reply.body.equals(FILM))
  for (const reply of await both('/chunked'))
    t.ok(reply.complete && reply.body.equals(FILM.subarray(0, 3 * SLICE)))
  t.equal(origin.count('/chunked'), 1)
  for (const reply of await both('/empty')) t.match(reply, { status: 200, text: '' })
  t.equal(origin.count('/empty'), 1)
})

t.test('what is for one client reaches one client', async (t) => {
  origin.on('/private', (_request, nth) => ({ body: `for ${nth}`, fields: { 'Cache-Control': 'no-store' } }))
  origin.on('/cookie', (_request, nth) => ({ body: 'same', fields: { ...FRESH, 'Set-Cookie': `id=${nth}` } }))
  const replies = (await Promise.all([both('/private'), both('/private')])).flat()
  t.equal(new Set(replies.map(({ text }) => text)).size, 8)
  const cookies = (await Promise.all([both('/cookie'), both('/cookie')]))
    .flat()
    .map(({ headers }) => headers['set-cookie'])
  t.equal(new Set(cookies.map(String)).size, 8)
  t.match(hops(await ask(one, '/private')).join(''), /^ns{1,2}$/, 'the way it came is told')
})

t.test('variants, an error, what is passed through', async (t) => {
  origin.on('/spoken', ({ headers }) => ({
    body: `in ${headers['accept-language'] ?? '?'}`,
    fields: { ...FRESH, Vary: 'Accept-Language' },
  }))
  for (const language of ['fr', 'en', 'fr']) {
    const replies = await both('/spoken', { headers: { 'Accept-Language': language } })
    for (const reply of replies) t.equal(reply.text, `in ${language}`)
  }
  t.equal(origin.count('/spoken'), 2)
  origin.on('/none', { status: 404, body: 'no', fields: { 'Cache-Control': 'max-age=60' } })
  for (const reply of await both('/none')) t.match(reply, { status: 404, text: 'no' })
  t.equal(origin.count('/none'), 1, 'that it is not there is kept too')
  origin.on('/form', ({ method }) => ({ body: method }))
  t.match(await ask(one, '/form', { method: 'POST' }), { status: 200, text: 'POST' })
  t.same(hops(await ask(one, '/form', { method: 'POST' })), ['s'], 'which no other edge is asked for')
})

t.test('what has aged is asked for again by one, and what has changed is never mixed', async (t) => {
  origin.on('/aged', { body: 'aged', fields: { 'Cache-Control': 'max-age=1', ETag: '"a"' } })
  await both('/aged')
  await until(
    'it is old',
    async () => Number((await ask(one, '/aged')).headers.age) >= 0 && origin.count('/aged') > 1,
  )
  t.match(origin.requests('/aged')[1]?.headers, { 'if-none-match': '"a"' })

  const NEXT = bytesOf(2, FILM.length)
  origin.on('/changing', { body: FILM, fields: { ...FRESH, ETag: '"1"' } })
  for (const start of [0, 4 * SLICE])
    await ask(one, '/changing', { headers: { Range: `bytes=${start}-${start + 9}` } })
  origin.on('/changing', { body: NEXT, fields: { ...FRESH, ETag: '"2"' } })
  const replies = (await Promise.all([both('/changing'), both('/changing')])).flat()
  for (const { body, complete } of replies) {
    const isOne = [FILM, NEXT].some((version) => version.subarray(0, body.length).equals(body))
    t.ok(isOne && (!complete || body.length === FILM.length), `${body.length} bytes of one version`)
  }
  const after = await until('the new one is served whole', async () => {
    const reply = await ask(other, '/changing')
    return reply.complete && reply
  })
  t.ok(after.body.equals(NEXT) || after.body.equals(FILM))
})

t.test('who paid shows it where the client is; no client is an edge', async (t) => {
  origin.on('/paid.ts', { body: 'paid', fields: FRESH })
  const headers = { Referer: 'https://www.example.com/' }
  const shield = cluster.edge('n-1')
  for (const edge of [one, other]) t.equal((await get(edge.url + signed(), { headers })).text, 'paid')
  t.equal(origin.count('/paid.ts'), 1)
  t.notMatch(origin.requests('/paid.ts')[0]?.target, /auth_key/)
  for (const edge of [one, other, shield]) {
    t.match(await get(`${edge.url}/~paid/paid.ts`, { headers }), {
      status: 403,
      text: 'denied: token_missing\n',
    })
    const forged = { ...headers, 'Edgeward-Peer': '1;a;s-1;shield;1900000000;;AAAA' }
    t.match(await get(edge.url + signed(), { headers: forged }), { status: 403, text: 'peer_token\n' })
  }
})
