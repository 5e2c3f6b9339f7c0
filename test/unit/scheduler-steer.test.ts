// Steering decisions from a snapshot: where the client is, which edges are fit, what is answered.
import t from 'tap'
import type { Place } from '../../src/geo/place.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { SteerQuery } from '../../scheduler/query.ts'
import type { SeenReport } from '../../scheduler/registry/registry.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import { steer } from '../../scheduler/steer-flow.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { edgeEntry, queryFor, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import { uniformPlaces } from '../kit/made-places.ts'

const NOW_MS = 100_000

interface Cluster {
  settings?: Record<string, unknown>
  place?: Place
  /** Age of the report and what it says otherwise; edges that are not named were never heard of. */
  reports?: Record<string, Partial<EdgeReport> & { ageMs?: number; held?: boolean }>
}

const ALL_UP = { 'gz-1': {}, 'gz-2': {}, 'fra-1': {} }

function clusterOf({ settings, place, reports = ALL_UP }: Cluster = {}) {
  const seen = new Map<string, SeenReport>()
  for (const [id, { ageMs = 0, held = false, ...said }] of Object.entries(reports)) {
    const heldAtMs = held ? NOW_MS - 60_000 : null
    seen.set(id, { report: reportOf(id, said), receivedAtMs: (heldAtMs ?? NOW_MS) - ageMs, heldAtMs })
  }
  const snapshot = buildSnapshot(buildTopology(schedulerSettings(settings)), uniformPlaces(place), seen)
  return (query: Partial<SteerQuery> = {}) => {
    const { answer, chosen, location } = steer(queryFor(query), snapshot, NOW_MS)
    const field = (name: string) => {
      const at = answer.extra.indexOf(name)
      return at < 0 ? undefined : answer.extra[at + 1]
    }
    return { answer, edge: chosen?.id, site: chosen?.edge.siteId, source: location?.source, field }
  }
}

/** The edges that a hundred assets are sent to. */
function edgesOf(ask: ReturnType<typeof clusterOf>, query: Partial<SteerQuery> = {}): string[] {
  const edges = Array.from({ length: 100 }, (_, i) => ask({ ...query, path: `/${i}/main.m3u8` }).edge ?? '-')
  return [...new Set(edges)].toSorted()
}

t.test('coverage, then GeoIP, then the default site', async (t) => {
  const public4 = '8.8.8.8'
  t.match(clusterOf()(), { source: 'coverage', site: 'guangzhou' })
  t.match(clusterOf()({ peer: '198.51.100.7' }), { source: 'coverage', site: 'frankfurt' })
  t.match(clusterOf()({ peer: '2001:db8:c::7' }), { source: 'coverage', site: 'guangzhou' })
  t.match(clusterOf({ place: { country: 'DE', position: undefined } })({ peer: public4 }), {
    source: 'geoip-country',
    site: 'frankfurt',
  })
  t.match(clusterOf({ place: { country: 'FR', position: { lat: 48.8, lon: 2.3 } } })({ peer: public4 }), {
    source: 'geoip-position',
    site: 'frankfurt',
  })
  t.match(clusterOf({ place: { country: 'FR', position: undefined } })({ peer: public4 }), {
    source: 'default',
    site: 'guangzhou',
  })
  t.match(clusterOf()({ peer: '' }), { source: 'default', site: 'guangzhou' })
  const anywhere = { country: 'DE', position: undefined }
  t.match(clusterOf({ place: anywhere })({ peer: '192.168.1.1' }), { source: 'default', site: 'guangzhou' })
  t.match(clusterOf({ settings: { defaultSite: 'frankfurt' } })({ peer: '10.0.0.1' }), {
    source: 'default',
    site: 'frankfurt',
  })
})

t.test('the longest coverage prefix wins', async (t) => {
  const sites = [
    { id: 'wide', coverage: { networks: ['203.0.0.0/8'] } },
    { id: 'narrow', coverage: { networks: ['203.0.113.0/24'] } },
  ]
  const edges = [edgeEntry('w', 'wide'), edgeEntry('n', 'narrow')]
  const ask = clusterOf({ settings: { sites, edges }, reports: { w: {}, n: {} } })
  t.equal(ask({ peer: '203.0.113.9' }).edge, 'n')
  t.equal(ask({ peer: '203.0.114.9' }).edge, 'w')
})

t.test('a country is spread over its sites by capacity, each network kept together', async (t) => {
  const sites = ['big', 'small'].map((id) => ({ id, coverage: { countries: ['CN'] } }))
  const edges = [
    edgeEntry('b', 'big', { capacity: { bandwidth: '30Gbit' } }),
    edgeEntry('s', 'small', { capacity: { bandwidth: '10Gbit' } }),
  ]
  const place = { country: 'CN', position: undefined }
  const ask = clusterOf({ settings: { sites, edges }, place, reports: { b: {}, s: {} } })
  const networks = Array.from({ length: 2000 }, (_, i) => `60.${i >> 8}.${i & 255}`)
  const big = networks.filter((network) => ask({ peer: `${network}.1` }).edge === 'b').length
  t.ok(Math.abs(big / networks.length - 0.75) < 0.05, `${big} of ${networks.length}`)
  t.ok(networks.slice(0, 200).every((n) => ask({ peer: `${n}.1` }).edge === ask({ peer: `${n}.254` }).edge))
  const v6 = ask({ peer: '240e:1:2::1' }).edge
  t.equal(ask({ peer: '240e:1:2:ffff::9' }).edge, v6, 'IPv6 clients are kept together by /48')
  const oneDead = clusterOf({ settings: { sites, edges }, place, reports: { s: {} } })
  t.same(edgesOf(oneDead, { peer: '60.1.1.1' }), ['s'], 'a dead site leaves its clients to the others')
})

t.test('among several sites of a country a position decides', async (t) => {
  const sites = [
    { id: 'north', location: { lat: 39.9, lon: 116.4 }, coverage: { countries: ['CN'] } },
    { id: 'south', location: { lat: 23.1, lon: 113.3 }, coverage: { countries: ['CN'] } },
    { id: 'hongkong', location: { lat: 22.3, lon: 114.2 } },
  ]
  const edges = ['north', 'south', 'hongkong'].map((site) => edgeEntry(`${site}-1`, site))
  const reports = { 'north-1': {}, 'south-1': {}, 'hongkong-1': {} }
  const place = { country: 'CN', position: { lat: 22.5, lon: 114.0 } }
  const ask = clusterOf({ settings: { sites, edges }, place, reports })
  t.match(ask({ peer: '60.1.1.1' }), { edge: 'south-1', source: 'geoip-position' })
})

t.test('a dead site falls over to the nearest living one', async (t) => {
  const sites = [
    { id: 'unplaced' },
    { id: 'tokyo', location: { lat: 35.7, lon: 139.7 } },
    { id: 'frankfurt', location: { lat: 50.1, lon: 8.7 }, coverage: { networks: ['198.51.100.0/24'] } },
    { id: 'paris', location: { lat: 48.9, lon: 2.4 } },
  ]
  const edges = sites.map(({ id }) => edgeEntry(`${id}-1`, id))
  const ask = (alive: string[]) =>
    clusterOf({
      settings: { sites, edges },
      reports: Object.fromEntries(alive.map((id) => [`${id}-1`, {}])),
    })({ peer: '198.51.100.7' })
  t.equal(ask(['unplaced', 'tokyo', 'paris', 'frankfurt']).site, 'frankfurt')
  t.equal(ask(['unplaced', 'tokyo', 'paris']).site, 'paris')
  t.equal(ask(['unplaced', 'tokyo']).site, 'tokyo')
  t.equal(ask(['unplaced']).site, 'unplaced')
  t.equal(ask([]).answer.outcome, 'no-edge')
})

t.test('liveness: an absent or expired report is never health', async (t) => {
  const ages = (gz1: number, gz2: number, fra1: number) =>
    edgesOf(
      clusterOf({ reports: { 'gz-1': { ageMs: gz1 }, 'gz-2': { ageMs: gz2 }, 'fra-1': { ageMs: fra1 } } }),
    )
  t.same(ages(0, 3000, 0), ['gz-1', 'gz-2'], 'up until three seconds')
  t.same(ages(0, 3001, 0), ['gz-1'], 'an up edge goes before a suspect one')
  t.same(ages(3001, 3001, 0), ['fra-1'], 'even one of another site')
  t.same(ages(5000, 3500, 5001), ['gz-1', 'gz-2'], 'suspects serve when nothing is better')
  t.same(ages(5001, 9999, 4000), ['fra-1'], 'after five seconds never')
  t.same(ages(5001, 5001, 5001), ['-'])
  t.same(edgesOf(clusterOf({ reports: {} })), ['-'])
})

t.test('held reports keep the age they had', async (t) => {
  const held = clusterOf({
    reports: { 'gz-1': { ageMs: 1000, held: true }, 'gz-2': { ageMs: 6000, held: true } },
  })
  t.same(edgesOf(held), ['gz-1'])
})

t.test('draining edges take no new client, degraded ones fewer', async (t) => {
  const draining = clusterOf({ reports: { ...ALL_UP, 'gz-1': { state: 'draining' } } })
  t.same(edgesOf(draining), ['gz-2'])
  const allDraining = clusterOf({ reports: { 'gz-1': { state: 'draining' } } })
  t.equal(allDraining().answer.outcome, 'no-edge')

  const degraded = clusterOf({ reports: { ...ALL_UP, 'gz-1': { state: 'degraded' } } })
  const chosen = Array.from({ length: 1000 }, (_, i) => degraded({ path: `/${i}/x` }).edge)
  const share = chosen.filter((id) => id === 'gz-1').length / chosen.length
  t.ok(Math.abs(share - 0.2) < 0.06, `a quarter of the weight: ${share}`)
  const onlyDegraded = clusterOf({ reports: { 'gz-1': { state: 'degraded' }, 'fra-1': {} } })
  t.same(edgesOf(onlyDegraded), ['gz-1'], 'a degraded edge near goes before an up one far away')
})

t.test('an asset stays on its edge; a directory is one asset', async (t) => {
  const ask = clusterOf()
  const { edge } = ask({ path: '/show/7/main.m3u8' })
  t.equal(ask({ path: '/show/7/seg-1.ts' }).edge, edge)
  t.equal(ask({ path: '/~shows/show/7/seg-1.ts', host: 'any' }).edge, edge)
  t.equal(ask({ path: '/show/7/main.m3u8', search: '?a=/b/c' }).edge, edge)
  t.same(edgesOf(ask), ['gz-1', 'gz-2'], 'assets are spread')
})

t.test('the redirect carries prefix, path and query byte for byte', async (t) => {
  const edges = [edgeEntry('gz-1', 'guangzhou', { url: 'https://gz-1.example.com:8443/cdn/' })]
  const ask = clusterOf({ settings: { edges }, reports: { 'gz-1': {} } })
  const base = 'https://gz-1.example.com:8443/cdn/~shows'
  const to = (path: string, search = '') => ask({ path, search }).field('Location')
  t.equal(to('/a/b.m3u8'), `${base}/a/b.m3u8`)
  t.equal(to('/~shows/a/b.m3u8'), `${base}/a/b.m3u8`)
  t.equal(to('/~shows'), `${base}/`)
  t.equal(to('/a', '?t=%20+x&&y=?/~&z'), `${base}/a?t=%20+x&&y=?/~&z`)
  t.equal(to('/a', '?'), `${base}/a?`)
  t.equal(to('//a/../b'), `${base}//a/../b`)
  t.equal(to('/caf\xc3\xa9', '?q=\xff'), `${base}/caf%C3%A9?q=%FF`)
  const { answer } = ask()
  t.match(answer, { status: 302, body: '' })
  t.match(clusterOf()({ method: 'HEAD' }).answer, { status: 302, outcome: 'redirect' })
})

t.test('no field is ever injected', async (t) => {
  for (const path of ['/a\r\nSet-Cookie: x', '/a b', '/a\0', '/a\x7f', 'a', '', 'http://x/']) {
    const { answer } = clusterOf()({ path })
    t.match(answer, { outcome: 'bad-request', status: 400 }, JSON.stringify(path))
  }
  t.match(clusterOf()({ search: '?a\r\nb' }).answer, { outcome: 'bad-request' })
})

t.test('refusals name what is wrong', async (t) => {
  const ask = clusterOf()
  t.match(ask({ host: 'Other.example:80' }).answer, {
    outcome: 'unknown-host',
    status: 404,
    body: 'no property for host "other.example"\n',
  })
  t.match(ask({ path: '/~films/a' }).answer, {
    outcome: 'unknown-property',
    status: 404,
    body: 'no property "films"\n',
  })
  t.match(ask({ path: `/~${'x'.repeat(500)}<b>/a` }).answer.body.length, 115)
  t.match(ask({ host: 'a\x80<b>' }).answer.body, 'no property for host "a?<b>"\n')
  const post = ask({ method: 'POST' })
  t.match(post.answer, { outcome: 'method-not-allowed', status: 405 })
  t.equal(post.field('Allow'), 'GET, HEAD, OPTIONS')
  const none = clusterOf({ reports: {} })()
  t.match(none.answer, { outcome: 'no-edge', status: 503 })
  t.equal(none.field('Retry-After'), '2')
  t.equal(none.field('Content-Type'), 'text/plain; charset=utf-8')
})

t.test('the scheduler’s own namespace', async (t) => {
  const ask = clusterOf({ reports: {} })
  t.match(ask({ path: '/.edgeward/health', host: '' }).answer, {
    outcome: 'health',
    status: 200,
    body: 'ok\n',
  })
  t.match(ask({ path: '/.edgeward/health', method: 'POST' }).answer, { status: 405 })
  t.match(ask({ path: '/.edgeward/other' }).answer, { outcome: 'unknown-route', status: 404 })
})

t.test('players on other pages may read every answer their property allows', async (t) => {
  const allow = 'Access-Control-Allow-Origin'
  const open = clusterOf()
  t.equal(open().field(allow), '*')
  t.equal(open({ path: '/~films/a' }).field(allow), '*')
  t.equal(clusterOf({ reports: {} })().field(allow), '*', 'errors too')
  const page = 'https://player.example.com'
  const movies = { host: 'movies.example.com' }
  t.equal(open({ ...movies, origin: page }).field(allow), page)
  t.equal(open({ ...movies, origin: page }).field('Vary'), 'Origin')
  t.equal(open({ ...movies, origin: 'https://other.example' }).field(allow), undefined)
  t.equal(open(movies).field('Vary'), 'Origin')

  const preflight = open({ method: 'OPTIONS', origin: page, requestedHeaders: 'range' })
  t.match(preflight.answer, { outcome: 'preflight', status: 204, body: '' })
  t.equal(preflight.field(allow), '*')
  t.equal(preflight.field('Access-Control-Allow-Headers'), 'range')
  t.match(open({ method: 'OPTIONS', path: '*' }).answer, { outcome: 'preflight', status: 204 })
  t.match(open({ method: 'OPTIONS', path: '/~films/' }).answer, { outcome: 'unknown-property', status: 404 })
})
