// What a reply says of itself and of the cache: HEAD, validators, Cache-Status, Age, freshness.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { cacheStatusOf, parseCacheStatus } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'

const BODY = bytesOf(1, 100_000)
const MODIFIED = 'Mon, 05 Jan 2026 10:00:00 GMT'
const FIELDS = {
  'Cache-Control': 'max-age=600',
  'Content-Type': 'video/mp4',
  ETag: '"v1"',
  'Last-Modified': MODIFIED,
}

const directory = await startSharedEdge(t, { id: 'gz-1' })

t.test('a miss is stored, the next is a hit, and both say so', async (t) => {
  const { edge, origin } = directory({ '/film': { body: BODY, fields: FIELDS } })
  const miss = await get(`${edge.url}/film`)
  const hit = await get(`${edge.url}/film`)

  const [member, ...others] = parseCacheStatus(String(miss.headers['cache-status']))
  t.equal(member?.cache, 'gz-1')
  t.equal(others.length, 0)
  t.equal(member?.params.get('fwd'), 'uri-miss')
  t.equal(member?.params.get('stored'), true)
  t.notOk(member?.params.has('hit'))
  t.equal(cacheStatusOf(hit).get('hit'), true)
  t.notOk(cacheStatusOf(hit).has('fwd'))
  t.ok(Number(cacheStatusOf(hit).get('ttl')) > 500, 'what is left of its freshness')
  for (const reply of [miss, hit]) {
    t.match(reply.headers, { 'content-type': 'video/mp4', etag: '"v1"', 'last-modified': MODIFIED })
    t.match(reply.headers, { 'content-length': '100000', 'cache-control': 'max-age=600' })
    t.ok(reply.body.equals(BODY))
  }
  t.equal(origin.count('/film'), 1)
})

t.test('Age counts from what the origin says', async (t) => {
  const { edge } = directory({ '/old': { body: BODY, fields: { ...FIELDS, Age: '100' } } })
  await get(`${edge.url}/old`)
  const hit = await get(`${edge.url}/old`)
  const age = Number(hit.headers.age)
  t.ok(age >= 100 && age < 130, `Age ${age}`)
  t.ok(Number(cacheStatusOf(hit).get('ttl')) <= 500)
})

t.test('what is stale is not served as if it were fresh', async (t) => {
  const second = bytesOf(2, 50_000)
  const { edge, origin } = directory({
    '/zero': { body: BODY, fields: { 'Cache-Control': 'max-age=0', ETag: '"v1"' } },
    '/aged': { body: BODY, fields: { 'Cache-Control': 'max-age=60', Age: '61', ETag: '"v1"' } },
    '/none': { body: BODY },
  })
  for (const target of ['/zero', '/aged', '/none']) {
    t.ok((await get(edge.url + target)).body.equals(BODY), target)
    origin.on(target, { body: second, fields: { ETag: '"v2"' } })
    const next = await get(edge.url + target)
    t.ok(next.body.equals(second), `${target} asked again`)
    t.notOk(cacheStatusOf(next).has('hit'))
  }
})

t.test('a rule and a default decide freshness where the origin is silent', async (t) => {
  const origin = await startOrigin(t, { '/a.m4s': { body: BODY }, '/b.txt': { body: BODY } })
  const studio = [{ id: 'studio' }]
  const cache = { defaultTtl: '0s', rules: [{ match: '*.m4s', ttl: '1h' }] }
  const properties = [{ id: 'all', hosts: ['*'], origins: studio, cache }]
  const edge = await startEdge(t, { origin: origin.url, properties })
  for (const target of ['/a.m4s', '/a.m4s', '/b.txt', '/b.txt']) await get(edge.url + target)
  t.equal(origin.count('/a.m4s'), 1)
  t.equal(origin.count('/b.txt'), 2)
})

t.test('HEAD gives the head of GET without a body, cold and cached', async (t) => {
  const origin = await startOrigin(t, { '/film': { body: BODY, fields: FIELDS } })
  const edge = await startEdge(t, { origin: origin.url })
  for (const round of ['cold', 'cached']) {
    const head = await get(`${edge.url}/film`, { method: 'HEAD' })
    t.equal(head.status, 200, round)
    t.match(head.headers, { 'content-length': '100000', etag: '"v1"', 'content-type': 'video/mp4' })
    t.equal(head.body.length, 0)
    t.ok((await get(`${edge.url}/film`)).body.equals(BODY))
  }
})

t.test('HEAD of a playlist that is not cached gives the head of the form that GET is sent', async (t) => {
  const segments = Array.from({ length: 100 }, (_, i) => `#EXTINF:2,\ns${i}.ts\n`).join('')
  const body = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${segments}#EXT-X-ENDLIST\n`
  const fields = { ...FIELDS, 'Content-Type': 'application/vnd.apple.mpegurl' }
  const { edge, origin } = directory({ '/a.m3u8': { body, fields }, '/b.m3u8': { body, fields } })
  for (const [path, coding] of [
    ['/a.m3u8', 'gzip'],
    ['/b.m3u8', 'identity'],
  ] as const) {
    const ask = (method: string) =>
      get(edge.url + path, { method, headers: { 'Accept-Encoding': coding } }).then(({ headers }) => headers)
    const [head, whole] = [await ask('HEAD'), await ask('GET')]
    for (const name of ['vary', 'etag', 'content-encoding', 'content-length', 'content-type']) {
      t.equal(head[name], whole[name], `${name} of ${coding}`)
    }
    t.match(head['vary'], /accept-encoding/i)
    t.equal(origin.count(path), 1)
  }
})

t.test('a client that has it already gets 304', async (t) => {
  const { edge, origin } = directory({ '/film': { body: BODY, fields: FIELDS } })
  await get(`${edge.url}/film`)
  const cases: [Record<string, string>, number][] = [
    [{ 'If-None-Match': '"v1"' }, 304],
    [{ 'If-None-Match': 'W/"v1"' }, 304],
    [{ 'If-None-Match': '"v0", "v1"' }, 304],
    [{ 'If-None-Match': '*' }, 304],
    [{ 'If-None-Match': '"v2"' }, 200],
    [{ 'If-Modified-Since': MODIFIED }, 304],
    [{ 'If-Modified-Since': 'Tue, 06 Jan 2026 10:00:00 GMT' }, 304],
    [{ 'If-Modified-Since': 'Sun, 04 Jan 2026 10:00:00 GMT' }, 200],
    [{ 'If-Modified-Since': 'yesterday' }, 200],
    // RFC 9110 §13.2.2: If-None-Match decides alone.
    [{ 'If-None-Match': '"v2"', 'If-Modified-Since': MODIFIED }, 200],
    [{ 'If-None-Match': '"v1"', Range: 'bytes=0-9' }, 304],
  ]
  for (const [headers, status] of cases) {
    for (const method of ['GET', 'HEAD']) {
      const reply = await get(`${edge.url}/film`, { method, headers })
      t.equal(reply.status, status, `${method} ${JSON.stringify(headers)}`)
      t.equal(reply.body.length, status === 304 || method === 'HEAD' ? 0 : BODY.length)
      t.equal(reply.headers.etag, '"v1"')
    }
  }
  t.equal(origin.count('/film'), 1)
})

t.test('a condition of one client does not become the answer of all', async (t) => {
  const { edge } = directory({ '/film': { body: BODY, fields: FIELDS } })
  const first = await get(`${edge.url}/film`, { headers: { 'If-None-Match': '"v1"', Range: 'bytes=0-9' } })
  t.ok([304, 206, 200].includes(first.status))
  const second = await get(`${edge.url}/film`)
  t.equal(second.status, 200)
  t.ok(second.body.equals(BODY))
})
