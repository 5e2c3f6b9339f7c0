// Which property a request belongs to, which requests ask for one object, and which pages may play it.
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { Answer, AskedRequest } from '../kit/scripted-origin.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }
const studio = [{ id: 'studio' }]

const echo = ({ target }: AskedRequest): Answer => ({ body: target, fields: FRESH })

const directory = await startSharedEdge(t)

t.test('by Host, and by /~property/ whatever the Host', async (t) => {
  const shows = await startOrigin(t, {
    '/a/x': { body: 'shows', fields: FRESH },
    '/': { body: 'root', fields: FRESH },
  })
  const movies = await startOrigin(t, { '/a/x': { body: 'movies', fields: FRESH } })
  const edge = await startEdge(t, {
    origin: shows.url,
    config: {
      origins: [
        { id: 'studio', url: shows.url },
        { id: 'vault', url: movies.url },
      ],
      properties: [
        { id: 'shows', hosts: ['shows.example.com', '*.shows.example.com'], origins: studio },
        { id: 'movies', hosts: ['movies.example.com'], origins: [{ id: 'vault' }] },
      ],
    },
  })
  const cases: [string, string, string][] = [
    ['shows.example.com', '/a/x', 'shows'],
    ['SHOWS.example.com:8090', '/a/x', 'shows'],
    ['eu.shows.example.com', '/a/x', 'shows'],
    ['movies.example.com', '/a/x', 'movies'],
    ['movies.example.com', '/~shows/a/x', 'shows'],
    ['gz-1.edges.example.com', '/~movies/a/x', 'movies'],
    ['127.0.0.1', '/~shows/', 'root'],
  ]
  for (const [Host, target, body] of cases) {
    const reply = await get(edge.url + target, { headers: { Host } })
    t.equal(reply.status, 200, `${Host}${target}`)
    t.equal(reply.text, body)
  }
  t.equal(shows.count('/a/x'), 1, 'one object, however it was asked for')
  t.equal(movies.count('/a/x'), 1)
})

t.test('an origin with a path of its own, and an origin on IPv6', async (t) => {
  const four = await startOrigin(t, { '/base/x': { body: 'four', fields: FRESH } })
  const six = await startOrigin(t, { '/x': { body: 'six', fields: FRESH } }, { host: '::1' })
  for (const [url, body] of [[`${four.url}/base`, 'four'] as const, [six.url, 'six'] as const]) {
    const edge = await startEdge(t, { origin: url })
    t.equal((await get(`${edge.url}/x`)).text, body)
  }
})

t.test('the query is part of the key: sorted, without what only says who asks', async (t) => {
  const { edge, origin } = directory({ '/q': echo })
  const first = (await get(`${edge.url}/q?b=2&a=1`)).text
  const same = ['/q?a=1&b=2', '/q?b=2&a=1', '/q?a=1&b=2&CMCD=br%3D3200', '/q?a=1&b=2&utm_source=mail']
  for (const target of same) t.equal((await get(edge.url + target)).text, first, target)
  t.equal(origin.count('/q'), 1)
  t.match(first, /a=1/)
  t.match(first, /b=2/)

  for (const target of ['/q', '/q?a=1', '/q?a=2&b=2', '/q?a=1&b=2&c=']) {
    t.not((await get(edge.url + target)).text, first, target)
  }
  t.equal(origin.count('/q'), 5)
})

t.test('paths that mean the same are one object, and none leads above the root', async (t) => {
  const origin = await startOrigin(t, {
    '/a/b': { body: 'b', fields: FRESH },
    '/a%2Fb': { body: 'escaped', fields: FRESH },
  })
  const edge = await startEdge(t, { origin: origin.url })
  for (const target of ['/a/b', '/a/./b', '/a/c/../b', '/%61/b', '/../../a/b']) {
    t.equal((await get(edge.url + target)).text, 'b', target)
  }
  t.equal(origin.count('/a/b'), 1)
  t.equal((await get(`${edge.url}/a%2Fb`)).text, 'escaped', 'an escaped slash is no slash')
})

t.test('any page may play what the property does not restrict', async (t) => {
  const { edge, origin } = directory({ '/x': { body: 'x', fields: FRESH } })
  const headers = { Origin: 'https://player.example' }
  for (const round of ['cold', 'cached']) {
    const reply = await get(`${edge.url}/x`, { headers })
    t.equal(reply.headers['access-control-allow-origin'], '*', round)
    t.match(reply.headers['access-control-expose-headers'], /Content-Range/i)
  }
  const asked = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'range' }
  const preflight = await get(`${edge.url}/x`, { method: 'OPTIONS', headers: { ...headers, ...asked } })
  t.ok([200, 204].includes(preflight.status), `status ${preflight.status}`)
  t.equal(preflight.headers['access-control-allow-origin'], '*')
  t.match(preflight.headers['access-control-allow-methods'], /GET/)
  t.match(preflight.headers['access-control-allow-headers'], /range/i)
  t.ok(Number(preflight.headers['access-control-max-age']) > 0)
  t.equal(origin.count('/x'), 1, 'the origin hears nothing of a preflight')
})

t.test(
  'a restricted property answers its own pages only, and a shared copy does not leak that',
  async (t) => {
    const origin = await startOrigin(t, { '/x': { body: 'x', fields: FRESH } })
    const cors = { origins: ['https://player.example', 'https://tv.example'] }
    const edge = await startEdge(t, {
      origin: origin.url,
      properties: [{ id: 'all', hosts: ['*'], origins: studio, cors }],
    })
    const allowed: [string | undefined, string | undefined][] = [
      ['https://player.example', 'https://player.example'],
      ['https://evil.example', undefined],
      ['https://tv.example', 'https://tv.example'],
      [undefined, undefined],
      // What a browser sends once the scheduler's redirect has led here.
      ['null', 'null'],
    ]
    for (const [page, answer] of allowed) {
      const reply = await get(`${edge.url}/x`, page === undefined ? {} : { headers: { Origin: page } })
      t.equal(reply.headers['access-control-allow-origin'], answer, `page ${page}`)
      t.match(String(reply.headers.vary), /\borigin\b/i, 'a cache behind must know')
    }
    t.equal(origin.count('/x'), 1)
  },
)

t.test('methods: GET and HEAD are served, OPTIONS answered, all else refused', async (t) => {
  const { edge, origin } = directory({ '/x': { body: 'x', fields: FRESH } })
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PURGE', 'TRACE']) {
    const reply = await get(`${edge.url}/x`, { method })
    t.equal(reply.status, 405, method)
    t.match(reply.headers.allow, /GET, HEAD/)
  }
  t.equal(origin.count('/x'), 0)
  t.equal(cacheStatusOf(await get(`${edge.url}/x`)).get('fwd'), 'uri-miss')
})
