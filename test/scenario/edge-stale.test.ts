// What is served past its lifetime: behind a revalidation, in place of an error, and never where it is forbidden
// (RFC 9111 §4.2.4, RFC 5861).
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'
import { until } from '../kit/until.ts'

/** Stored already old: stale from its first second. */
const old = (control: string) => ({ 'Cache-Control': control, Age: '60', ETag: '"v1"' })

const directory = await startSharedEdge(t)

for (const failure of ['drops the connection', 'answers 503'] as const) {
  t.test(`the origin ${failure}`, async (t) => {
    const cases: [string, 'stored' | 'error'][] = [
      ['max-age=1', 'stored'],
      ['max-age=1, stale-if-error=600', 'stored'],
      ['s-maxage=1, stale-if-error=600', 'stored'],
      ['max-age=1, stale-if-error=10', 'error'],
      ['max-age=1, must-revalidate', 'error'],
      ['max-age=1, proxy-revalidate', 'error'],
      ['max-age=1, no-cache', 'error'],
      ['max-age=1, s-maxage=1', 'error'],
      ['max-age=1, must-revalidate, stale-if-error=600', 'error'],
    ]
    const scripts = cases.map(([control], i): [string, object] => [
      `/${i}`,
      { body: 'stored', fields: old(control) },
    ])
    const { edge, origin } = directory(Object.fromEntries(scripts))
    for (const [i, [control, expected]] of cases.entries()) {
      t.equal((await get(`${edge.url}/${i}`)).text, 'stored')
      origin.on(`/${i}`, failure === 'answers 503' ? { status: 503, body: 'down' } : { raw: '' })
      const reply = await get(`${edge.url}/${i}`)
      if (expected === 'stored') {
        t.equal(reply.text, 'stored', control)
        t.equal(cacheStatusOf(reply).get('fwd'), 'stale')
      } else {
        t.equal(reply.status, failure === 'answers 503' ? 503 : 502, control)
        t.not(reply.text, 'stored')
      }
    }
  })
}

t.test('stale-while-revalidate: nobody waits, one asks, the next has the new one', async (t) => {
  const fields = old('max-age=1, stale-while-revalidate=600')
  const { edge, origin } = directory({ '/x': { body: 'first', fields } })
  t.equal((await get(`${edge.url}/x`)).text, 'first')
  origin.on('/x', {
    body: 'second',
    fields: { 'Cache-Control': 'max-age=600', ETag: '"v2"' },
    pauseAt: 'head',
  })
  const replies = await Promise.all(Array.from({ length: 20 }, () => get(`${edge.url}/x`)))
  t.ok(
    replies.every((reply) => reply.text === 'first'),
    'all are served while the origin has not answered',
  )
  await origin.asked('/x', 2)
  t.equal(origin.count('/x'), 2, 'one revalidation for twenty clients')
  origin.resume('/x')
  await until('the new one is served', async () => (await get(`${edge.url}/x`)).text === 'second')
  t.equal(origin.count('/x'), 2)
})
