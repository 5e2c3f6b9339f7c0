// What is meant for one client is never given to another, however many ask at once.
import t from 'tap'
import { get } from '../kit/client.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import type { Answer, AskedRequest } from '../kit/scripted-origin.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'

const CLIENTS = 20
const personal =
  (fields: Record<string, string>) =>
  (_request: AskedRequest, nth: number): Answer => ({
    body: `for client ${nth} alone`,
    fields,
    // So that all of them meet in the edge.
    trickle: { bytes: 8, everyMs: 20 },
  })

const UNSHARED: Record<string, Record<string, string>> = {
  'no-store': { 'Cache-Control': 'no-store' },
  private: { 'Cache-Control': 'private, max-age=600' },
  'private with a field name': { 'Cache-Control': 'private="Set-Cookie", max-age=600' },
  'no freshness and no validator': {},
  'max-age=0': { 'Cache-Control': 'max-age=0' },
  'no-cache': { 'Cache-Control': 'no-cache' },
  'Vary: *': { 'Cache-Control': 'max-age=600', Vary: '*' },
}

const directory = await startSharedEdge(t)

for (const [kind, fields] of Object.entries(UNSHARED)) {
  t.test(`${kind}: each client has its own, one after the other`, async (t) => {
    const { edge } = directory({ '/me': personal(fields) })
    const first = await get(`${edge.url}/me`)
    const second = await get(`${edge.url}/me`)
    t.equal(first.text, 'for client 1 alone')
    t.equal(second.text, 'for client 2 alone')
    t.notOk(cacheStatusOf(second).has('hit'))
  })
}

for (const kind of ['no-store', 'private']) {
  t.test(`${kind}: each client has its own, all at once`, async (t) => {
    const { edge } = directory({ '/me': personal(UNSHARED[kind] ?? {}) })
    const replies = await Promise.all(Array.from({ length: CLIENTS }, () => get(`${edge.url}/me`)))
    t.ok(replies.every(({ status, complete }) => status === 200 && complete))
    t.equal(new Set(replies.map(({ text }) => text)).size, CLIENTS, 'no two bodies are the same')
    t.notOk(replies.some((reply) => cacheStatusOf(reply).has('stored')))
  })
}

t.test('a cookie is set for the client it was made for', async (t) => {
  const { edge } = directory({
    '/login': (_, nth) => ({
      body: 'welcome',
      fields: { 'Cache-Control': 'max-age=600', 'Set-Cookie': `session=${nth}` },
      trickle: { bytes: 1, everyMs: 10 },
    }),
  })
  const together = await Promise.all(Array.from({ length: CLIENTS }, () => get(`${edge.url}/login`)))
  const after = await get(`${edge.url}/login`)
  const cookies = [...together, after].flatMap(({ headers }) => headers['set-cookie'] ?? [])
  t.equal(new Set(cookies).size, cookies.length, 'no cookie is given twice')
})

t.test('what was asked with credentials is not given to those without', async (t) => {
  const { edge, origin } = directory({ '/me': personal({ 'Cache-Control': 'max-age=600' }) })
  const own = await get(`${edge.url}/me`, { headers: { Authorization: 'Bearer one' } })
  const other = await get(`${edge.url}/me`, { headers: { Authorization: 'Bearer two' } })
  const nobody = await get(`${edge.url}/me`)
  const forwarded = origin.requests('/me').some(({ headers }) => headers.authorization !== undefined)
  // RFC 9111 §3.5 forbids sharing what credentials brought; an edge that never passes them on may share.
  if (forwarded) t.equal(new Set([own.text, other.text, nobody.text]).size, 3)
  else t.pass('credentials do not reach the origin, so nothing private came back')
})

t.test('an uncacheable answer gives way to a cacheable one', async (t) => {
  const { edge, origin } = directory({ '/x': { body: 'one', fields: { 'Cache-Control': 'no-store' } } })
  await get(`${edge.url}/x`)
  origin.on('/x', { body: 'two', fields: { 'Cache-Control': 'max-age=600' } })
  t.equal((await get(`${edge.url}/x`)).text, 'two')
  t.equal((await get(`${edge.url}/x`)).text, 'two')
  t.equal(origin.count('/x'), 2)
})
