// Lists of routes: which edges stand on them and in which order, what the answer says, and what is refused.
import t from 'tap'
import { edgeEntry } from '../kit/scheduler.ts'
import { choosing, site } from '../kit/choosing.ts'
import type { Said } from '../kit/choosing.ts'
import type { SteerQuery } from '../../scheduler/query.ts'

const CLUSTER = {
  sites: [
    site('near', 50, 8, { networks: ['203.0.113.0/24'] }),
    site('mid', 52, 8),
    site('far', -23, -46),
    site('lone', 35, 139),
  ],
  edges: [
    edgeEntry('near-1', 'near'),
    edgeEntry('near-2', 'near'),
    edgeEntry('near-3', 'near'),
    edgeEntry('mid-1', 'mid'),
    edgeEntry('far-1', 'far'),
    edgeEntry('lone-1', 'lone', { capacity: { bandwidth: '1Gbit' } }),
  ],
}

function routesFrom(reports?: Record<string, Said>, cluster = {}) {
  const { decide } = choosing({ ...CLUSTER, ...cluster }, reports === undefined ? {} : { reports })
  return (url: string, query: Partial<SteerQuery> = {}, more = '') => {
    const search = `?url=${encodeURIComponent(url)}${more}`
    const { answer, outcome } = decide({ path: '/.edgeward/route', search, ...query })
    const body = answer.body === '' ? {} : JSON.parse(answer.body)
    return { ...body, outcome, status: answer.status, extra: answer.extra.join('|') }
  }
}

const edgesOf = (answer: { routes: { edge: string }[] }) => answer.routes.map(({ edge }) => edge)

t.test('two of the first site, then the best of each further one by cost', async (t) => {
  const ask = routesFrom()
  const answer = ask('https://shows.example.com/a/main.m3u8')
  t.match(answer, {
    outcome: 'routes',
    status: 200,
    property: 'shows',
    client: { address: '203.0.113.9', source: 'coverage', site: 'near' },
    ttl: 30,
    routes: [
      { site: 'near', role: 'located', state: 'up', reason: 'hash' },
      { site: 'near' },
      { edge: 'mid-1', role: 'other', url: 'http://mid-1.edges.example.com/~shows/a/main.m3u8' },
      { edge: 'lone-1' },
    ],
  })
  t.match(answer.extra, /Content-Type\|application\/json.*Access-Control-Allow-Origin\|\*/)
  const { decide } = choosing(CLUSTER)
  t.equal(
    edgesOf(answer)[0],
    decide({ path: '/a/main.m3u8' }).chosen?.id,
    'the first is where a redirect leads',
  )
  t.equal(edgesOf(ask('/a/main.m3u8', {}, '&count=1')).length, 1)
  const all = edgesOf(ask('/a/main.m3u8', {}, '&count=8'))
  t.strictSame(all.slice(2, 5), ['mid-1', 'lone-1', 'far-1'])
  t.equal(new Set(all).size, 6, 'then what the first site has left')
})

t.test('never an edge that may not serve', async (t) => {
  const reports = { 'near-1': {}, 'near-2': { state: 'draining' as const }, 'near-3': { ageMs: 6000 } }
  const ask = routesFrom({
    ...reports,
    'mid-1': { ageMs: 4000 },
    'lone-1': {},
    'far-1': { override: 'down' },
  })
  t.strictSame(edgesOf(ask('/a/main.m3u8')), ['near-1', 'lone-1'], 'nor a suspect one beside them')
  t.strictSame(edgesOf(routesFrom({ 'mid-1': { ageMs: 4000 } })('/a/main.m3u8')), ['mid-1'], 'but alone')
  const only = { property: { sites: ['far', 'mid'] } }
  t.strictSame(edgesOf(routesFrom(undefined, only)('/a/main.m3u8')), ['mid-1', 'far-1'])
  t.match(routesFrom({})('/a/main.m3u8'), {
    status: 503,
    error: 'no-edge',
    message: 'no edge can serve this now',
    extra: /Retry-After\|2/,
  })
})

t.test('the property by the URL’s host, the request’s host, or the prefix', async (t) => {
  const ask = routesFrom()
  const elsewhere = { host: 'cdn.example.com' }
  t.match(ask('HTTPS://Shows.Example.com:443/a?b=c#t=9', elsewhere).routes[0].url, /\/~shows\/a\?b=c$/)
  t.match(ask('https://cdn.example.com/~shows/a', elsewhere).routes[0].url, /\/~shows\/a$/)
  t.match(ask('/~shows/a', elsewhere).routes[0].url, /\/~shows\/a$/)
  t.match(ask('/a').routes[0].url, /\/~shows\/a$/)
  t.match(ask('https://shows.example.com').routes[0].url, /\/~shows\/$/)
  t.match(ask('/a', elsewhere), { status: 404, error: 'unknown-host', message: /"cdn.example.com"/ })
  t.match(ask('/~films/a'), { status: 404, error: 'unknown-property', message: /"films"/ })
  t.match(ask('/%2e%2e/%e9'), { status: 200 }, 'byte for byte')
  t.match(ask('/%2e%2e/%e9').routes[0].url, /\/~shows\/%2e%2e\/%e9$/)
})

t.test('a bad parameter says what is wrong', async (t) => {
  const { decide } = choosing(CLUSTER)
  const cases: [string, RegExp][] = [
    ['', /url is missing/],
    ['?url=', /url is missing/],
    ['?url=https://shows.example.com/a?b=1&token=x', /must be percent-encoded/],
    ['?url=%zz', /two hex digits/],
    ['?url=ftp%3a%2f%2fshows.example.com%2fa', /absolute http or https URL/],
    ['?url=https%3a%2f%2fuser%3apw@shows.example.com%2fa', /without password/],
    ['?url=%2f%2fevil.example%2fa', /absolute http or https URL/],
    ['?url=https%3a%2f%2f%2fa', /absolute http or https URL/],
    ['?url=a%2fb', /absolute http or https URL/],
    ['?url=%2fa%0d%0aSet-Cookie:x', /no spaces and no controls/],
    ['?url=https%3a%2f%2fshows.example.com%20x%2fa', /no spaces and no controls/],
    ['?url=%2f.edgeward%2froute', /not a route of the scheduler/],
    ['?url=%2fa&count=0', /count must be 1 to 8/],
    ['?url=%2fa&count=9', /count must be 1 to 8/],
    ['?url=%2fa&count=1e0', /count must be 1 to 8/],
  ]
  for (const [search, message] of cases) {
    const { answer } = decide({ path: '/.edgeward/route', search })
    t.match(answer, { status: 400, outcome: 'bad-parameter' }, search)
    t.match(JSON.parse(answer.body), { error: 'bad-parameter', message }, search)
  }
})

t.test('rules, methods and preflights are those of the redirect', async (t) => {
  const denying = { property: { access: { addresses: { deny: ['203.0.113.0/24'] } } } }
  const ask = routesFrom(undefined, denying)
  t.match(ask('/a'), {
    status: 403,
    error: 'denied',
    reason: 'address_denied',
    message: 'denied: address_denied',
  })
  t.match(ask('/a', { method: 'OPTIONS' }), { status: 204, extra: /Access-Control-Allow-Methods/ })
  t.match(ask('/a', { method: 'POST' }), { status: 405, error: 'method-not-allowed', extra: /Allow\|GET/ })
})

t.test('where the id of a property is a label of the host', async (t) => {
  const { decide } = choosing({ ...CLUSTER, steering: { redirect: 'host' } })
  const { answer, chosen } = decide({ path: '/a/main.m3u8', search: '?t=1' })
  t.equal(answer.extra[1], `http://shows.${chosen?.id}.edges.example.com/a/main.m3u8?t=1`)
  const list = decide({ path: '/.edgeward/route', search: '?url=%2fa%2fmain.m3u8' })
  t.equal(JSON.parse(list.answer.body).routes[2].url, 'http://shows.mid-1.edges.example.com/a/main.m3u8')
})
