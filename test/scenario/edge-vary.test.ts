// Variants (RFC 9111 §4.1): each request gets the one it selects, whoever else asks at the same time, and no
// client can make an object have any number of them.
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'

const FIELDS = { 'Cache-Control': 'max-age=600', Vary: 'X-Kind' }
const properties = [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], forward: ['X-Kind'] }]
const kind = (value: string) => ({ headers: { 'X-Kind': value } })

const directory = await startSharedEdge(t)
const forwarding = await startSharedEdge(t, { properties })

t.test('each request its own variant, stored apart', async (t) => {
  const origin = await startOrigin(t, {
    '/x': (request) => ({ body: `for ${String(request.headers['x-kind'])}`, fields: FIELDS }),
  })
  const edge = await startEdge(t, { origin: origin.url, properties })
  for (const round of [1, 2]) {
    for (const value of ['a', 'b']) {
      const reply = await get(`${edge.url}/x`, kind(value))
      t.equal(reply.text, `for ${value}`)
      t.equal(cacheStatusOf(reply).has('hit'), round === 2)
    }
    t.equal((await get(`${edge.url}/x`)).text, 'for undefined')
  }
  t.equal(origin.count('/x'), 3)
  await edge.stop()
  await edge.start()
  t.ok(cacheStatusOf(await get(`${edge.url}/x`, kind('b'))).has('hit'), 'and after a restart')
})

t.test('asked for all at once, cold', async (t) => {
  const { edge, origin } = forwarding({
    '/x': (request) => ({ body: `for ${String(request.headers['x-kind'])}`, fields: FIELDS }),
  })
  const values = Array.from({ length: 60 }, (_, i) => `k${i % 3}`)
  const replies = await Promise.all(values.map((value) => get(`${edge.url}/x`, kind(value))))
  for (const [i, reply] of replies.entries()) t.equal(reply.text, `for ${values[i]}`)
  t.ok(origin.count('/x') <= 6, `${origin.count('/x')} requests for 3 variants`)
})

t.test('variants are bounded', async (t) => {
  const { edge } = forwarding({
    '/x': (request) => ({ body: `for ${String(request.headers['x-kind'])}`, fields: FIELDS }),
  })
  for (let i = 0; i < 40; i++) t.equal((await get(`${edge.url}/x`, kind(`k${i}`))).text, `for k${i}`)
  t.ok(cacheStatusOf(await get(`${edge.url}/x`, kind('k0'))).has('hit'), 'the first are kept')
  t.notOk(cacheStatusOf(await get(`${edge.url}/x`, kind('k39'))).has('hit'), 'one too many is not')
})

t.test('a field that is not forwarded reaches no origin, selects nothing and poisons nothing', async (t) => {
  const { edge } = directory({
    '/x': (request) => ({
      body: `host ${String(request.headers['x-forwarded-host'])}, cookie ${String(request.headers.cookie)}`,
      fields: { 'Cache-Control': 'max-age=600', Vary: 'Cookie' },
    }),
  })
  const headers = { 'X-Forwarded-Host': 'evil.example', Cookie: 'me=1' }
  t.equal((await get(`${edge.url}/x`, { headers })).text, 'host undefined, cookie undefined')
  t.ok(cacheStatusOf(await get(`${edge.url}/x`)).has('hit'))
})

t.test(
  'a variant in the one language that a client likes best is its variant, whatever else it lists',
  async (t) => {
    const languages = ['de', 'en', 'de, en']
    const { edge } = directory({
      '/page': (request, nth) => {
        const asked = request.headers['accept-language'] ?? ''
        const language = languages.find((known) => asked.startsWith(known)) ?? 'en'
        const fields = {
          'Cache-Control': 'max-age=600',
          Vary: 'Accept-Language',
          'Content-Language': language,
        }
        return { body: `${nth} in ${language}`, fields }
      },
      '/both': (_request, nth) => ({
        body: String(nth),
        fields: { 'Cache-Control': 'max-age=600', Vary: 'Accept-Language, Accept', 'Content-Language': 'de' },
      }),
    })
    const ask = async (path: string, language: string) =>
      (await get(edge.url + path, { headers: { 'Accept-Language': language } })).text
    t.equal(await ask('/page', 'de;q=0.9, fr;q=0.1'), '1 in de')
    t.equal(await ask('/page', 'fr;q=0.5, de;q=1.0'), '1 in de', 'its favourite is here')
    t.equal(await ask('/page', 'de-AT, de;q=0.9'), '2 in de', 'another favourite, which the origin may have')
    t.equal(await ask('/page', 'en, de'), '3 in en', 'two favourites')
    t.equal(await ask('/page', 'en, xx;q=0.5'), '3 in en')
    t.equal(await ask('/both', 'de, fr;q=0.1'), '1')
    t.equal(await ask('/both', 'de, fr;q=0.2'), '2', 'where more than the language tells variants apart')
  },
)
