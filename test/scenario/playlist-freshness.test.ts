// How long the edge uses a playlist: by what the playlist itself says, whatever the origin's headers say.
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'
import { until } from '../kit/until.ts'

const live = (nth: number, target = 1) =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:${target}\n#EXT-X-MEDIA-SEQUENCE:${nth}\n#EXTINF:1,\nseg-${nth}.ts\n`

/** Seconds that Cache-Status says it is still fresh. */
async function ttlOf(url: string): Promise<number> {
  const reply = await get(url)
  return Number(cacheStatusOf(reply).get('ttl'))
}

const directory = await startSharedEdge(t)

t.test('the lifetime is in the playlist', async (t) => {
  const maxAge = { 'Cache-Control': 'max-age=3600', ETag: '"a"' }
  const ended = `${live(1, 10)}#EXT-X-ENDLIST\n`
  const lowLatency = live(1, 10).replace('#EXTINF', '#EXT-X-PART-INF:PART-TARGET=4\n#EXTINF')
  const { edge, origin } = directory({
    '/live.m3u8': { body: live(1, 10) },
    '/chunked.m3u8': { body: live(1, 10), framing: 'chunked' },
    '/typed': { body: live(1, 10), fields: { 'Content-Type': 'audio/mpegurl' } },
    '/low-latency.m3u8': { body: lowLatency },
    '/too-long.m3u8': { body: live(1, 10), fields: maxAge },
    '/short.m3u8': { body: live(1, 10), fields: { 'Cache-Control': 'max-age=3' } },
    '/vod.m3u8': { body: ended },
    '/vod-stated.m3u8': { body: ended, fields: maxAge },
    '/main.m3u8': { body: '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n', fields: maxAge },
    '/text.txt': { body: live(1, 10), fields: maxAge },
  })
  const expected = {
    '/live.m3u8': 4,
    '/chunked.m3u8': 4,
    '/typed': 4,
    '/low-latency.m3u8': 1,
    '/too-long.m3u8': 9,
    '/short.m3u8': 2,
    '/vod.m3u8': 4,
    '/vod-stated.m3u8': 3599,
    '/main.m3u8': 3599,
    '/text.txt': 3599,
  }
  for (const [path, seconds] of Object.entries(expected)) {
    await get(edge.url + path)
    const ttl = await ttlOf(edge.url + path)
    t.ok(ttl <= seconds && ttl >= seconds - 1, `${path}: ${ttl} s left of ${seconds + 1}`)
    t.equal(origin.count(path), 1, path)
  }
})

t.test('a 304 does not make it live longer', async (t) => {
  const fields = { ETag: '"a"', 'Cache-Control': 'max-age=3600' }
  const { edge, origin } = directory({ '/v.m3u8': { body: live(1, 1), fields } })
  await get(`${edge.url}/v.m3u8`)
  await until('it is asked for again, and has not changed', async () => {
    await get(`${edge.url}/v.m3u8`)
    return origin.count('/v.m3u8') >= 3
  })
  const conditions = origin
    .requests('/v.m3u8')
    .slice(1)
    .map(({ headers }) => headers['if-none-match'])
  t.ok(conditions.every((etag) => etag === '"a"'))
})

t.test('no-store and no-cache are obeyed', async (t) => {
  const { edge, origin } = directory({
    '/a.m3u8': { body: live(1), fields: { 'Cache-Control': 'no-store' } },
    '/b.m3u8': { body: live(1), fields: { 'Cache-Control': 'no-cache', ETag: '"a"' } },
  })
  for (const path of ['/a.m3u8', '/b.m3u8']) {
    await get(edge.url + path)
    await get(edge.url + path)
    t.equal(origin.count(path), 2, path)
  }
})

t.test(
  'when the origin dies, a live playlist is served for three target durations, a recording goes on',
  async (t) => {
    const forLong = { 'Cache-Control': 'max-age=1, stale-while-revalidate=600, stale-if-error=86400' }
    const origin = await startOrigin(t, {
      '/live.m3u8': { body: live(1, 1), fields: forLong },
      '/vod.m3u8': { body: `${live(1, 1)}#EXT-X-ENDLIST\n`, fields: forLong },
    })
    const edge = await startEdge(t, { origin: origin.url })
    await get(`${edge.url}/live.m3u8`)
    await get(`${edge.url}/vod.m3u8`)
    await origin.stop()

    const ages: number[] = []
    const failed = await until('it is no longer served', async () => {
      const reply = await get(`${edge.url}/live.m3u8`)
      if (reply.status === 200) ages.push(Number(reply.headers.age))
      return reply.status === 200 ? undefined : reply
    })
    t.ok(failed.status === 502 || failed.status === 503, `an error: ${failed.status}`)
    t.ok(Math.max(...ages) >= 1, 'stale for a while')
    t.ok(Math.max(...ages) <= 3, `served until its age was ${Math.max(...ages)} s`)
    t.equal((await get(`${edge.url}/vod.m3u8`)).status, 200)
  },
)
