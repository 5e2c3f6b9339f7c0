// What cannot be prefetched, each with its reason: a URL that is missing, an origin in trouble, a playlist without end, what
// is not for others. What may come yet is tried again.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { startCluster } from '../kit/cluster.ts'
import { SHOWS, begin, metricOf, prefetch, progressOf, untilDone } from '../kit/prefetching.ts'
import { ask } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { Script } from '../kit/scripted-origin.ts'

const FRESH = { 'Cache-Control': 'max-age=86400', ETag: '"1"' }
const list = (tags: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${tags}\n`
const LONG = bytesOf(7, 9 * 65_536 + 5)

const SCRIPTS: Record<string, Script> = {
  '/ok.ts': { body: 'ok', fields: FRESH },
  '/private.ts': { body: 'p', fields: { 'Cache-Control': 'private' } },
  // Its slices could not be told from those of another body.
  '/nameless.ts': { body: LONG, fields: { 'Cache-Control': 'max-age=86400' } },
  '/refused.ts': { status: 403, body: 'no' },
  '/moved.ts': { status: 302, fields: { Location: '/ok.ts' } },
  '/gone.ts': { status: 410 },
  '/broken.ts': { status: 500, body: 'always' },
  // Out of order twice, then well again.
  '/late.ts': (_asked, nth) => (nth <= 2 ? { status: 503, body: 'busy' } : { body: 'late', fields: FRESH }),
  '/cut.ts': (_asked, nth) => ({ body: LONG, fields: FRESH, ...(nth === 1 && { cutAt: 70_000 }) }),
  '/live/live.m3u8': { body: list('#EXTINF:4,\ns0.ts'), fields: FRESH },
  '/live/s0.ts': { body: 'live', fields: FRESH },
  '/odd/text.m3u8': { body: 'not found, sorry', fields: FRESH },
  '/odd/main.m3u8': { body: '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmain.m3u8\n', fields: FRESH },
  '/ads/list.m3u8': {
    body: list(
      [
        '#EXT-X-PLAYLIST-TYPE:VOD',
        '#EXT-X-KEY:METHOD=AES-128,URI="film.key"',
        '#EXTINF:4,\nhttp://ads.example.net/ad.ts',
        ...['#EXT-X-BYTERANGE:70000@0', '#EXT-X-BYTERANGE:70000'].map(
          (range) => `${range}\n#EXTINF:4,\nwhole.ts`,
        ),
        '#EXTINF:4,\nmissing.ts',
        '#EXT-X-ENDLIST',
      ].join('\n'),
    ),
    fields: FRESH,
  },
  '/ads/film.key': { body: '0123456789abcdef', fields: FRESH },
  '/ads/whole.ts': { body: LONG, fields: FRESH },
}

const origin = await startOrigin(t, SCRIPTS)
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { guangzhou: { edges: ['gz-1'] } },
  edgeConfig: {
    cache: { memory: '64MiB', slice: '64KiB', directories: [{ path: './cache', size: '1GiB' }] },
  },
})
const edge = cluster.edge('gz-1')

async function outcomeOf(path: string) {
  const { id } = await begin(cluster.admin, [SHOWS + path])
  const progress = progressOf(await untilDone(cluster.admin, id), 'gz-1')
  if (progress === undefined) throw new Error('no word of the edge')
  return progress
}

const FAILS: Record<string, [reason: string, detail: RegExp, asked: number]> = {
  '/nowhere.ts': ['missing', /^status 404$/, 1],
  '/gone.ts': ['missing', /^status 410$/, 1],
  '/refused.ts': ['refused', /^status 403$/, 1],
  '/moved.ts': ['status', /^status 302$/, 1],
  '/private.ts': ['uncacheable', /private/, 1],
  '/nameless.ts': ['uncacheable', /no-validator/, 1],
  '/live/live.m3u8': ['live', /has no end/, 1],
  '/odd/text.m3u8': ['playlist', /cannot be read/, 1],
}
for (const [path, [reason, detail, asked]] of Object.entries(FAILS)) {
  t.test(`${path}: ${reason}`, async (t) => {
    const { counts, failures } = await outcomeOf(path)
    t.match(counts, { urls: 1, known: 1, fetched: 0, present: 0, failed: 1 })
    t.match(failures, [{ property: 'shows', path, reason, detail }])
    t.equal(failures.length, 1)
    t.equal(origin.count(path), asked, 'it is not tried again')
  })
}

t.test('a main playlist within itself', async (t) => {
  const { counts, failures } = await outcomeOf('/odd/main.m3u8')
  t.match(counts, { known: 2, fetched: 1, failed: 1 })
  t.match(failures, [{ path: '/odd/main.m3u8', reason: 'playlist' }])
})

t.test('the command reports a missing URL', async (t) => {
  const { code, stdout } = await prefetch(t, cluster, `${SHOWS}/none.ts`, `${SHOWS}/ok.ts`, '--wait')
  t.equal(code, 1)
  t.match(stdout, /done, 100 %: 1 fetched \(2 B\), 0 here already, 1 failed/)
  t.match(stdout, /^gz-1: \/~shows\/none\.ts: missing \(status 404\)$/m)
  const page = await prefetch(t, cluster, 'status', stdout.slice(0, 12))
  t.equal(page.code, 0)
  t.match(page.stdout, /gz-1: \/~shows\/none\.ts: missing/)
})

t.test('503 twice, then fine', async (t) => {
  const { counts, failures } = await outcomeOf('/late.ts')
  t.match(counts, { fetched: 1, failed: 0 })
  t.same(failures, [])
  t.equal(origin.count('/late.ts'), 3)
})

t.test('an answer that breaks off goes on where it did', async (t) => {
  t.match((await outcomeOf('/cut.ts')).counts, { fetched: 1, failed: 0 })
  const reply = await ask(edge, '/cut.ts')
  t.ok(cacheStatusOf(reply).has('hit'))
  t.ok(reply.body.equals(LONG))
})

t.test('what does not get well is given up', async (t) => {
  const { failures } = await outcomeOf('/broken.ts')
  t.match(failures, [{ reason: 'trouble', detail: 'status 500' }])
  t.equal(origin.count('/broken.ts'), 4, 'three times more')
})

t.test('of a playlist: ranges of one file are one object, keys go along, other places do not', async (t) => {
  const { counts, failures } = await outcomeOf('/ads/list.m3u8')
  t.match(counts, { urls: 1, known: 4, fetched: 3, failed: 1, elsewhere: 1 })
  t.match(failures, [{ path: '/ads/missing.ts', reason: 'missing' }])
  t.equal(origin.count('/ads/whole.ts'), 1)
  const reply = await ask(edge, '/ads/whole.ts', { headers: { Range: 'bytes=500000-500009' } })
  t.ok(cacheStatusOf(reply).has('hit'), 'all of it')
  t.ok(cacheStatusOf(await ask(edge, '/ads/film.key')).has('hit'))
})

t.test('counted, by reason and by who asked', async (t) => {
  const failures = /^edgeward_edge_prefetch_job_failures_total\{reason="missing"\}/
  t.equal(await metricOf(edge.admin, failures), 4)
  t.ok((await metricOf(edge.admin, /^edgeward_edge_prefetch_job_bytes_total/)) > 2 * LONG.length)
  t.ok((await metricOf(cluster.admin, /^edgeward_scheduler_prefetches_total\{origin="operator"\}/)) > 10)
})
