// Low-Latency HLS by way of a shield: reloads that the origin holds are held by each edge on the way, as one request, and
// a part goes through while it grows.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { createAgent, get } from '../kit/client.ts'
import { startLowLatencyOrigin } from '../kit/ll-hls-origin.ts'
import { startTieredCluster } from '../kit/tiered-cluster.ts'

const origin = await startLowLatencyOrigin(t, { mediaCacheControl: 'max-age=60' })
const cluster = await startTieredCluster(t, origin.url)
const edges = [...cluster.edges.values()]
const agent = createAgent(t)
const everywhere = (target: string, times = 1) =>
  Promise.all(
    Array.from({ length: times }, () => edges)
      .flat()
      .map((edge) => get(`${edge.url}/~shows${target}`, { agent })),
  )

t.test('a blocking reload from nine edges is one at the origin, and its part is too', async (t) => {
  await everywhere('/live/index.m3u8')
  for (let round = 0; round < 3; round++) {
    const { msn, parts } = origin.position
    const reload = `/live/index.m3u8?_HLS_msn=${msn}&_HLS_part=${parts}`
    const part = `/live/part-${msn}.${parts}.m4s`
    const replies = Promise.all([everywhere(reload, 8), everywhere(part, 8)])
    await origin.holding(2)
    // For longer than a second, in which all the others come too.
    await delay(1200)
    origin.publish()
    const publishedMs = systemClock.monotonic()
    const [playlists, media] = await replies
    const sinceMs = systemClock.monotonic() - publishedMs
    t.ok(playlists.every(({ status, text }) => status === 200 && text.includes(`part-${msn}.${parts}.m4s"`)))
    t.ok(
      playlists.every(({ headers }) => Number(headers.age) * 1000 <= sinceMs),
      'the time it was held is no age',
    )
    t.ok(media.every(({ body }) => body.equals(origin.part(msn, parts))))
    t.equal(origin.count(reload), 1)
    t.equal(origin.count(part), 1)
  }
})
