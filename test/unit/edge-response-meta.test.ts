// From an upstream's head to what is kept of it.
import t from 'tap'
import { readPart } from '../../edge/fill/part.ts'
import { readHead, readNotModified } from '../../edge/fill/response-meta.ts'
import type { HeadContext } from '../../edge/fill/response-meta.ts'
import { EdgewardError } from '../../src/errors.ts'
import { PULL_RULE } from '../kit/edge-parts.ts'

const NOW = Date.UTC(2026, 6, 1, 12)
const DATE = 'Wed, 01 Jul 2026 12:00:00 GMT'
const MAX_AGE = ['Cache-Control', 'max-age=60']

function context(rule: Partial<HeadContext['rule']> = {}): HeadContext {
  return {
    key: 'p /a',
    sliceBytes: 1000,
    requestMs: NOW,
    responseMs: NOW,
    unique: '#1',
    rule: { ...PULL_RULE, ...rule },
    fromEdge: false,
    authorised: false,
    asOf: 0,
  }
}

const read = (status: number, fields: string[], rule = {}) =>
  readHead({ upstream: 'o', status, fields }, context(rule))

t.test('only end-to-end fields are kept, and none that this server states itself', async (t) => {
  const kept = ['Content-Type', 'video/mp4', 'x-own', '1', 'ETag', '"a"']
  const { meta } = read(200, [
    ...kept,
    'Content-Length',
    '5000',
    'Connection',
    'x-hop, close',
    'connection',
    'X-Second-Hop',
    'X-Hop',
    '1',
    'x-second-hop',
    '1',
    'Keep-Alive',
    'timeout=5',
    'Date',
    DATE,
    'Age',
    '7',
    'Accept-Ranges',
    'bytes',
    'Access-Control-Allow-Origin',
    'https://a.example',
    'Timing-Allow-Origin',
    '*',
  ])
  t.strictSame(meta.fields.pairs, kept)
  t.match(meta, { length: 5000, date: DATE, initialAgeMs: 7000, ranges: true, version: '"a"/5000' })
})

t.test('what it may be purged by, of a range of what still grows too', async (t) => {
  const tagged = [...MAX_AGE, 'ETag', '"a"', 'Surrogate-Key', 'news live', 'Cache-Tag', 'all']
  t.strictSame(read(200, tagged).meta.tags, ['news', 'live', 'all'])
  const head = { upstream: 'o', status: 206, fields: [...tagged, 'Content-Range', 'bytes 0-9/*'] }
  const { meta, verdict } = readPart(head, context(), { start: 0, end: 10 })
  t.strictSame([verdict, meta.tags], ['storable', ['news', 'live', 'all']])
})

t.test('a property without CORS of its own passes the origin’s', async (t) => {
  const { meta } = read(200, ['Access-Control-Allow-Origin', '*'], { ownCors: false })
  t.equal(meta.fields.get('access-control-allow-origin'), '*')
})

t.test('the length', async (t) => {
  const cases: [number, string[], number | null][] = [
    [200, ['Content-Length', '0'], 0],
    [200, ['Content-Length', ' 12 '], 12],
    [200, [], null],
    [200, ['Content-Length', '12', 'Transfer-Encoding', 'chunked'], null],
    [204, [], 0],
    [206, ['Content-Length', '10', 'Content-Range', 'bytes 0-9/500', 'ETag', '"a"'], 500],
  ]
  for (const [status, fields, length] of cases)
    t.equal(read(status, fields).meta.length, length, fields.join())
  for (const text of ['-1', '1e3', '0x10', '1,1', '9999999999999999']) {
    t.throws(() => read(200, ['Content-Length', text]), EdgewardError, text)
  }
})

t.test('a part stands for its whole, or for nothing', async (t) => {
  const part = read(206, [...MAX_AGE, 'ETag', '"a"', 'Content-Range', 'bytes 1000-1999/5000'])
  t.match(part, {
    verdict: 'storable',
    contentRange: { start: 1000, end: 2000, total: 5000 },
  })
  t.match(part.meta, { status: 200, length: 5000, ranges: true })
  t.notOk(part.meta.fields.get('content-range'))
  for (const range of [[], ['Content-Range', 'bytes */500'], ['Content-Range', 'bytes 5-4/500']]) {
    t.throws(() => read(206, range), { code: 'origin_protocol' }, range.join())
  }
  t.throws(() => read(206, ['Content-Range', 'bytes 0-9/*']), { code: 'origin_growing' })
  for (const control of [MAX_AGE, ['Cache-Control', 'private']]) {
    const alone = read(206, [...control, 'Content-Range', 'bytes 1000-1999/5000'])
    t.equal(alone.verdict, 'no-validator', 'nothing says what the next part belongs to')
  }
})

t.test('the version binds slices by validator and length, else by the answer', async (t) => {
  const length = ['Content-Length', '500']
  t.equal(read(200, ['ETag', '"a"', ...length]).meta.version, '"a"/500')
  t.equal(read(200, ['ETag', 'junk', 'Last-Modified', DATE, ...length]).meta.version, `${DATE} /500`)
  t.equal(read(200, ['ETag', 'W/"a"', 'Last-Modified', DATE, ...length]).meta.version, `${DATE} W/"a"/500`)
  t.equal(read(200, ['ETag', 'W/"a"', ...length]).meta.version, '#1/500', 'a weak one tells too little')
  t.equal(read(200, length).meta.version, '#1/500')
  t.equal(read(200, ['ETag', '"a"']).meta.version, '#1/*', 'of unknown length')
})

t.test('without a validator no part is fetched on its own, and what is long is not kept', async (t) => {
  const ranges = [...MAX_AGE, 'Accept-Ranges', 'bytes']
  t.match(read(200, [...ranges, 'Content-Length', '4000']), { verdict: 'storable', meta: { ranges: false } })
  t.match(read(200, [...ranges, 'Content-Length', '4001']), {
    verdict: 'no-validator',
    meta: { ranges: false },
  })
  t.match(read(200, [...ranges, 'Content-Length', '4001', 'ETag', '"a"']), {
    verdict: 'storable',
    meta: { ranges: true },
  })
})

t.test('private on a line of its own counts', async (t) => {
  t.equal(read(200, [...MAX_AGE, 'Cache-Control', 'private']).verdict, 'private')
})

t.test('304: new times and fields, the body’s own description untouched', async (t) => {
  const stored = read(200, [
    ...MAX_AGE,
    'ETag',
    '"a"',
    'Content-Type',
    'video/mp4',
    'Content-Length',
    '9',
  ]).meta
  const update = (fields: string[]) =>
    readNotModified({ upstream: 'o', status: 304, fields }, stored, context())
  t.strictSame(update(['Cache-Control', 'max-age=5', 'Date', DATE, 'X-Own', '2']).fields, [
    'Cache-Control',
    'max-age=5',
    'X-Own',
    '2',
  ])
  t.equal(update(['Cache-Control', 'max-age=5']).times.lifetimeMs, 5000)
  t.equal(update([]).times.lifetimeMs, 60_000, 'says nothing: as stored')
  t.equal(update(['Cache-Control', 'max-age=5', 'Cache-Control', 'no-cache']).times.lifetimeMs, 0)
  t.equal(update([]).times.date, stored.date)
})

t.test('304: one client’s cookie does not become everybody’s', async (t) => {
  const stored = read(200, [...MAX_AGE, 'ETag', '"a"', 'Content-Length', '9']).meta
  const fields = ['Set-Cookie', 'session=1', 'ETag', '"b"', 'Content-Encoding', 'gzip', 'Content-Length', '5']
  t.strictSame(readNotModified({ upstream: 'o', status: 304, fields }, stored, context()).fields, [])
})

t.test('304 that withdraws an object from the public ends its freshness', async (t) => {
  const stored = read(200, [...MAX_AGE, 'ETag', '"a"', 'Content-Length', '9']).meta
  for (const control of ['no-store, max-age=60', 'private, max-age=60']) {
    const head = { upstream: 'o', status: 304, fields: ['Cache-Control', control] }
    t.equal(readNotModified(head, stored, context({ overrideMs: 9000 })).times.lifetimeMs, 0, control)
  }
})

t.test('what another edge says of age is believed to the millisecond, of an origin it is not', async (t) => {
  const fields = [
    ...MAX_AGE,
    'Age',
    '1',
    'ETag',
    '"a"',
    'Edgeward-Age',
    '1250;40',
    'Edgeward-Peer',
    'x',
    'Cache-Status',
    'n-1; hit',
  ]
  // Its answer took 100 ms, of which 40 are in its age already.
  const context100 = { ...context(), requestMs: NOW - 100 }
  const ofEdge = readHead({ upstream: 'e', status: 200, fields }, { ...context100, fromEdge: true }).meta
  t.match(ofEdge, { initialAgeMs: 1310, lifetimeMs: 60_000 })
  const kept = ['Cache-Control', 'max-age=60', 'ETag', '"a"']
  t.same(ofEdge.fields.pairs, kept, 'it goes no further')
  t.equal(ofEdge.cacheStatus, 'n-1; hit', 'but for the way it came')
  const ofOrigin = readHead({ upstream: 'o', status: 200, fields }, context100).meta
  t.match(ofOrigin, { initialAgeMs: 1100, lifetimeMs: 60_000 })
  t.same(ofOrigin.fields.pairs, kept)
  t.equal(ofOrigin.cacheStatus, undefined)
  for (const text of ['1250', 'a;b', '-1;0', '1;2;fresh', '1;2;stale;stale', '']) {
    const odd = [...MAX_AGE, 'Age', '7', 'Edgeward-Age', text]
    const { meta } = readHead({ upstream: 'e', status: 200, fields: odd }, { ...context(), fromEdge: true })
    t.equal(meta.initialAgeMs, 7000, `${text}: by what everybody says`)
  }
})

/** Of an answer that says so. */
const ageIn = (heard: HeadContext, ...fields: string[]) =>
  readHead({ upstream: 'o', status: 200, fields: [...MAX_AGE, ...fields] }, heard).meta.initialAgeMs

t.test(
  'the time for which a reload was held is no age, neither here nor at the edge that asked it',
  async (t) => {
    const held = { ...context(), requestMs: NOW - 1500 }
    const reload = { ...held, key: 'p /live.m3u8?_HLS_msn=7&_HLS_part=1' }
    t.equal(ageIn(reload), 0)
    t.equal(ageIn(reload, 'Age', '2'), 2000, 'what it had before')
    t.equal(ageIn({ ...reload, fromEdge: true }, 'Edgeward-Age', '30;900'), 30)
    t.equal(ageIn({ ...held, key: 'p /live.m3u8' }), 1500, 'of any other it may be')
  },
)

t.test(
  'what another edge had to be asked for again before it used it, this one asks for again too',
  async (t) => {
    const from = { ...context(), fromEdge: true }
    const control = 'max-age=60, stale-while-revalidate=30, stale-if-error=90'
    const head = (age: string) => ({
      upstream: 'e',
      status: 200,
      fields: ['Cache-Control', control, 'Edgeward-Age', age],
    })
    t.match(readHead(head('2000;0'), from).meta, { initialAgeMs: 2000, lifetimeMs: 60_000 })
    const spent = { initialAgeMs: 2000, lifetimeMs: 2000, staleWhileRevalidateMs: 0, staleIfErrorMs: 90_000 }
    t.match(readHead(head('2000;0;stale'), from).meta, spent)
    const old = { initialAgeMs: 70_000, lifetimeMs: 60_000, staleWhileRevalidateMs: 30_000 }
    t.match(readHead(head('70000;0;stale'), from).meta, old, 'what is old by its age is no older by that')
  },
)
