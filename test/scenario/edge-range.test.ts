// Range requests on cached and cold objects, inside a slice and across slices of 64 KiB.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import type { Answer } from '../kit/scripted-origin.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'

const LENGTH = 1_000_000
const BODY = bytesOf(1, LENGTH)
const MODIFIED = 'Mon, 05 Jan 2026 10:00:00 GMT'
const FIELDS = { 'Cache-Control': 'max-age=600', ETag: '"v1"', 'Last-Modified': MODIFIED }
const FILM: Answer = { body: BODY, fields: FIELDS }

/** Range → what it selects, the end excluded. */
const SATISFIABLE: [string, number, number][] = [
  ['bytes=0-0', 0, 1],
  ['bytes=0-99', 0, 100],
  ['bytes=0-', 0, LENGTH],
  ['bytes=0-65535', 0, 65_536],
  ['bytes=65535-65536', 65_535, 65_537],
  ['bytes=65536-131071', 65_536, 131_072],
  ['bytes=60000-400000', 60_000, 400_001],
  ['bytes=500000-500000', 500_000, 500_001],
  ['bytes=900000-', 900_000, LENGTH],
  ['bytes=999999-999999', 999_999, LENGTH],
  ['bytes=999999-9999999', 999_999, LENGTH],
  ['bytes=-1', LENGTH - 1, LENGTH],
  ['bytes=-200000', LENGTH - 200_000, LENGTH],
  ['bytes=-9999999', 0, LENGTH],
]
const UNSATISFIABLE = ['bytes=1000000-', 'bytes=1000000-1000001', 'bytes=-0']
const IGNORED = ['bytes=5-2', 'bytes=a-b', 'bytes=-', 'items=0-1', 'bytes', '0-1']

/** How an origin may give its objects; the edge's clients see no difference. */
const ORIGINS: Record<string, Partial<Answer>> = {
  'an origin with ranges': {},
  'an origin that ignores ranges': { ranges: 'ignore' },
}

const directory = await startSharedEdge(t, { slice: '64KiB' })

for (const [origins, how] of Object.entries(ORIGINS)) {
  t.test(`ranges of cold and of cached objects, ${origins}`, async (t) => {
    const cold = SATISFIABLE.map((_, i) => [`/cold-${i}`, { ...FILM, ...how }] as const)
    const { edge, origin } = directory({ '/film': { ...FILM, ...how }, ...Object.fromEntries(cold) })
    await get(`${edge.url}/film`)
    const asked = origin.count('/film')

    for (const [i, [range, start, end]] of SATISFIABLE.entries()) {
      for (const target of [`/cold-${i}`, '/film']) {
        const reply = await get(edge.url + target, { headers: { Range: range } })
        t.equal(reply.status, 206, `${range} of ${target}`)
        t.equal(reply.headers['content-range'], `bytes ${start}-${end - 1}/${LENGTH}`)
        t.equal(reply.headers['content-length'], String(end - start))
        t.ok(reply.body.equals(BODY.subarray(start, end)), 'its bytes')
      }
    }
    t.equal(origin.count('/film'), asked, 'a cached object is not asked for again')
  })
}

t.test('ranges of an object whose length the origin does not say', async (t) => {
  const body = BODY.subarray(0, 200_000)
  const answer: Answer = { body, fields: FIELDS, framing: 'chunked' }
  const { edge, origin } = directory({ '/cold': answer, '/film': answer })
  const headers = { Range: 'bytes=65530-65545' }
  const cold = await get(`${edge.url}/cold`, { headers })
  // Before the length is known the whole is a right answer too (RFC 9110 §14.2).
  t.ok(cold.body.equals(cold.status === 206 ? body.subarray(65_530, 65_546) : body))

  await get(`${edge.url}/film`)
  const cached = await get(`${edge.url}/film`, { headers })
  t.match(cached, { status: 206, headers: { 'content-range': 'bytes 65530-65545/200000' } })
  t.ok(cached.body.equals(body.subarray(65_530, 65_546)))
  t.equal(origin.count('/film'), 1)
})

t.test('beyond the end: 416 with the length, of cold and of cached objects', async (t) => {
  const { edge } = directory({ '/film': FILM, '/cold-0': FILM, '/cold-1': FILM, '/cold-2': FILM })
  await get(`${edge.url}/film`)
  for (const [i, range] of UNSATISFIABLE.entries()) {
    for (const target of [`/cold-${i}`, '/film']) {
      const reply = await get(edge.url + target, { headers: { Range: range } })
      t.equal(reply.status, 416, `${range} of ${target}`)
      t.equal(reply.headers['content-range'], `bytes */${LENGTH}`)
      const whole = await get(edge.url + target)
      t.ok(whole.status === 200 && whole.body.equals(BODY), 'and the object is none the worse')
    }
  }
})

t.test('what is no byte range is not a range', async (t) => {
  const { edge } = directory({ '/film': FILM })
  for (const range of [...IGNORED, 'bytes=0-0,5-6']) {
    const reply = await get(`${edge.url}/film`, { headers: { Range: range } })
    t.equal(reply.status, 200, range)
    t.ok(reply.body.equals(BODY))
  }
})

t.test('a range means nothing to HEAD', async (t) => {
  const { edge } = directory({ '/film': FILM })
  for (const round of ['cold', 'cached']) {
    const head = await get(`${edge.url}/film`, { method: 'HEAD', headers: { Range: 'bytes=0-0' } })
    t.equal(head.status, 200, `RFC 9110 §14.2: a range is for GET only, ${round}`)
    t.equal(head.headers['content-length'], String(LENGTH))
    await get(`${edge.url}/film`)
  }
})

t.test('If-Range: a part when the client has the same version, else the whole', async (t) => {
  const { edge } = directory({ '/film': FILM })
  const cases: [string, number][] = [
    ['"v1"', 206],
    ['"v2"', 200],
    ['W/"v1"', 200],
    [MODIFIED, 206],
    ['Mon, 05 Jan 2026 10:00:01 GMT', 200],
    ['nonsense', 200],
  ]
  for (const [ifRange, status] of cases) {
    const reply = await get(`${edge.url}/film`, { headers: { Range: 'bytes=100-199', 'If-Range': ifRange } })
    t.equal(reply.status, status, ifRange)
    t.ok(reply.body.equals(status === 206 ? BODY.subarray(100, 200) : BODY))
  }
})

t.test('an empty object has no range', async (t) => {
  const { edge } = directory({ '/empty': { body: '', fields: FIELDS } })
  for (const round of ['cold', 'cached']) {
    const whole = await get(`${edge.url}/empty`)
    t.match(whole, { status: 200, headers: { 'content-length': '0' } }, round)
    const part = await get(`${edge.url}/empty`, { headers: { Range: 'bytes=0-0' } })
    t.match(part, { status: 416, headers: { 'content-range': 'bytes */0' } }, round)
  }
})

t.test('an origin that answers with another range than asked for is not believed', async (t) => {
  const { edge } = directory({ '/film': { ...FILM, ranges: 'wrong' } })
  const reply = await get(`${edge.url}/film`, { headers: { Range: 'bytes=700000-700999' } })
  const right = reply.status === 206 && reply.body.equals(BODY.subarray(700_000, 701_000))
  t.ok(right || reply.status === 502 || !reply.complete, `status ${reply.status}, never the wrong bytes`)
})

t.test('slices of two versions are never mixed', async (t) => {
  const second = bytesOf(2, LENGTH)
  const { edge, origin } = directory({ '/film': FILM })
  await get(`${edge.url}/film`, { headers: { Range: 'bytes=0-10' } })
  await get(`${edge.url}/film`, { headers: { Range: 'bytes=-10' } })
  origin.on('/film', { body: second, fields: { ...FIELDS, ETag: '"v2"' } })

  const cut = await get(`${edge.url}/film`)
  t.ok(
    !cut.complete || cut.body.equals(BODY) || cut.body.equals(second),
    'one version, or a reply that is visibly cut',
  )
  const whole = await get(`${edge.url}/film`)
  t.ok(whole.complete, 'the next reply is whole')
  t.ok(
    whole.body.equals(whole.headers.etag === '"v1"' ? BODY : second),
    'and of the version that its ETag says',
  )
})
