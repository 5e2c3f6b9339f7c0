// HLS Content Steering in play: hls.js in headless Chromium plays from one edge, that edge is killed, and playback goes
// on from another. Nothing but hls.js acts: the page neither looks at errors nor loads anything again.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Page } from 'playwright-core'
import { systemClock } from '../../src/clock.ts'
import { loadMedia } from '../../src/commands/demo/media.ts'
import { createOriginServer } from '../../src/commands/demo/origin.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { freePort } from '../kit/ports.ts'
import type { TestScope } from '../kit/scope.ts'
import { launchBrowser, playFor, watch } from './browser.ts'

const HLS = fileURLToPath(new URL('../../node_modules/hls.js/dist/hls.min.js', import.meta.url))
/** Longer than the player's buffer: what is played at its end came from another edge. */
const PLAYED_SECONDS = 20

t.setTimeout(110_000)

const browser = await launchBrowser(t)

async function startMediaOrigin(t: TestScope): Promise<string> {
  const server = createOriginServer(await loadMedia(), systemClock)
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${port}`
}

/** Two edges on one port, one of IPv4 and one of IPv6: a player changes the host alone. */
async function startTwoEdges(t: TestScope): Promise<Cluster> {
  const port = await freePort('::1')
  return startCluster(t, {
    origin: await startMediaOrigin(t),
    sites: { one: { edges: ['four', 'six'] } },
    listens: { four: `127.0.0.1:${port}`, six: `[::1]:${port}` },
    property: { contentSteering: { ttl: '2s' } },
  })
}

async function open(url: string): Promise<Page> {
  const page = await browser.newPage()
  await page.addScriptTag({ path: HLS })
  await page.evaluate(`
    const video = document.createElement('video')
    video.muted = true
    document.body.append(video)
    const hls = new Hls({ maxBufferLength: 8, maxMaxBufferLength: 8 })
    window.player = { video, hls }
    hls.loadSource(${JSON.stringify(url)})
    hls.attachMedia(video)
    video.play()
  `)
  return page
}

for (const stream of ['vod', 'live']) {
  t.test(`${stream}: playback goes on from another edge`, async (t) => {
    const cluster = await startTwoEdges(t)
    const page = await open(`${cluster.steering}/~shows/${stream}/fmp4/main.m3u8`)
    const log = watch(page)
    await playFor(page, 2)
    const [first] = log.origins
    const own = [...cluster.edges.values()].find(({ url }) => url === first)
    if (own === undefined) throw new Error(`no edge among ${[...log.origins].join(', ')}`)
    t.equal(log.origins.size, 1, 'one edge serves')

    await own.stop('SIGKILL')
    t.ok((await playFor(page, PLAYED_SECONDS)) >= PLAYED_SECONDS)
    const other = [...cluster.edges.values()].find((edge) => edge !== own)
    t.strictSame([...log.origins], [own.url, other?.url])
    await page.close()
  })
}

t.test('the list that the player takes', async (t) => {
  const cluster = await startTwoEdges(t)
  const playlist = await get(`${cluster.edge('four').url}/~shows/vod/fmp4/main.m3u8`)
  const [, server = ''] = /^#EXT-X-CONTENT-STEERING:SERVER-URI="([^"]+)",PATHWAY-ID="\."$/m.exec(playlist.text) ?? []
  const list = JSON.parse((await get(server)).text)
  t.match(list, { VERSION: 1, TTL: 2, 'PATHWAY-PRIORITY': ['.', 'six'] })
})
