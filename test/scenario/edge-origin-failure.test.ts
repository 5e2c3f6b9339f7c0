// Origins fail in many ways; a client sees a clear error or a visibly broken reply, and the next client a new try.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { Answer } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const BODY = bytesOf(1, 300_000)
const FIELDS = { 'Cache-Control': 'max-age=600', ETag: '"v1"' }
const WHOLE: Answer = { body: BODY, fields: FIELDS }

t.test('origin down: an error for all who wait, and served when it is back', async (t) => {
  const origin = await startOrigin(t, { '/film': WHOLE, '/kept': WHOLE })
  const edge = await startEdge(t, { origin: origin.url })
  await get(`${edge.url}/kept`)
  await origin.stop()
  const refused = await Promise.all(Array.from({ length: 20 }, () => get(`${edge.url}/film`)))
  // 503: not even asked, once it has failed a few times in a row.
  t.ok(refused.every(({ status }) => status === 502 || status === 503))
  t.equal(refused[0]?.status, 502)
  t.notOk(
    refused.some(({ text }) => text.includes('    at ')),
    'no stack for clients',
  )
  t.equal((await get(`${edge.url}/kept`)).status, 200, 'what is cached needs no origin')
  await origin.start()
  await until('it is found back', async () => (await get(`${edge.url}/film`)).status === 200)
  t.ok((await get(`${edge.url}/film`)).body.equals(BODY))
})

t.test(
  'origin silent: 504 within the bound, and the edge serves others meanwhile',
  { timeout: 60_000 },
  async (t) => {
    const origin = await startOrigin(t, { '/silent': { ...WHOLE, pauseAt: 'head' }, '/film': WHOLE })
    const edge = await startEdge(t, { origin: origin.url })
    const waiting = [get(`${edge.url}/silent`), get(`${edge.url}/silent`)]
    await origin.asked('/silent')
    t.equal((await get(`${edge.url}/film`)).status, 200)
    for (const reply of await Promise.all(waiting)) t.equal(reply.status, 504)
    origin.resume('/silent')
    t.equal((await get(`${edge.url}/silent`)).status, 200)
  },
)

/** For what fails by its path alone: each test has its own. */
const shared = await startOrigin(t, {})
const sliced = await startEdge(t, { origin: shared.url, slice: '64KiB' })
const plain = await startEdge(t, { origin: shared.url, id: 'gz-1' })

for (const framing of ['length', 'chunked'] as const) {
  for (const cutAt of [0, 1000, 150_000, 299_999]) {
    t.test(`origin cuts a ${framing} body after ${cutAt} bytes: no client takes it for whole`, async (t) => {
      const path = `/cut-${framing}-${cutAt}`
      shared.on(path, { ...WHOLE, framing, cutAt, trickle: { bytes: 50_000, everyMs: 5 } })
      const replies = await Promise.all(
        Array.from({ length: 10 }, () => get(sliced.url + path).catch(() => null)),
      )
      for (const reply of replies) {
        // Whole is right too: a client that came after the cut was served what had arrived, and ranges of the rest.
        const whole = reply?.complete === true && reply.body.equals(BODY)
        const honest = reply === null || reply.status === 502 || !reply.complete || whole
        t.ok(honest, `status ${reply?.status}, ${reply?.body.length} bytes, complete: ${reply?.complete}`)
        if (reply !== null && reply.status === 200)
          t.ok(BODY.subarray(0, reply.body.length).equals(reply.body))
      }
      shared.on(path, { ...WHOLE, framing })
      // 503: not even asked, where so many were cut off in a row that it rests.
      const next = await until('it is asked again', async () => {
        const reply = await get(sliced.url + path)
        return reply.status !== 503 && reply
      })
      t.ok(next.complete && next.body.equals(BODY), 'the next client gets it whole')
    })
  }
}

t.test('origin speaks nonsense: 502, and served when it comes to its senses', async (t) => {
  const nonsense = [
    'not http at all\r\n\r\n',
    'HTTP/1.1 999999 ?\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`,
    '',
  ]
  for (const [i, raw] of nonsense.entries()) {
    shared.on(`/${i}`, { raw })
    const reply = await get(`${plain.url}/${i}`).catch(() => null)
    t.ok(
      reply === null || reply.status === 502 || !reply.complete,
      `${JSON.stringify(raw.slice(0, 60))}: ${reply?.status}`,
    )
    shared.on(`/${i}`, WHOLE)
    t.ok((await get(`${plain.url}/${i}`)).body.equals(BODY))
  }
})

t.test('an error of the origin is passed on, and not kept for long', async (t) => {
  shared.on('/busy', { status: 503, body: 'busy' })
  t.equal((await get(`${plain.url}/busy`)).status, 503)
  shared.on('/busy', WHOLE)
  t.equal((await get(`${plain.url}/busy`)).status, 200)
})

t.test('what the origin does not have is 404, asked once by clients who come together', async (t) => {
  shared.on('/none', { status: 404, body: 'none', pauseAt: 'head' })
  const first = get(`${plain.url}/none`)
  await shared.asked('/none')
  const others = Array.from({ length: 20 }, () => get(`${plain.url}/none`))
  // Asked and answered after them on the same machine: by then they wait.
  await get(`${plain.url}/nothing`)
  shared.resume('/none')
  for (const reply of await Promise.all([first, ...others])) t.match(reply, { status: 404, text: 'none' })
  t.equal(shared.count('/none'), 1)
})

t.test('an origin that sends clients elsewhere: the redirect is the answer', async (t) => {
  const fields = { Location: 'https://elsewhere.example/film', 'Cache-Control': 'max-age=60' }
  shared.on('/moved', { status: 302, fields })
  t.match(await get(`${plain.url}/moved`), {
    status: 302,
    headers: { location: 'https://elsewhere.example/film' },
  })
})

t.test('an edge that meets itself says 508 instead of going round', async (t) => {
  shared.on('/film', WHOLE)
  await get(`${plain.url}/film`)
  const mark = String(shared.requests('/film')[0]?.headers['cdn-loop'])
  t.ok(mark.length > 0, 'CDN-Loop goes upstream (RFC 8586)')
  const round = await get(`${plain.url}/other`, { headers: { 'CDN-Loop': mark } })
  t.equal(round.status, 508)
  t.equal(shared.count('/other'), 0)
})
