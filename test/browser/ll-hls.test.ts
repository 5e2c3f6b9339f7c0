// hls.js in headless Chromium plays a Low-Latency stream through an edge: parts and blocking reloads, at low latency,
// without a stall; and two viewers cost the origin one blocking reload a part.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { z } from 'zod'
import type { Browser, Page } from 'playwright-core'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { publishByClock, startLowLatencyOrigin } from '../kit/ll-hls-origin.ts'
import { RAN_OUT, launchBrowser } from './browser.ts'

const HLS = fileURLToPath(new URL('../../node_modules/hls.js/dist/hls.min.js', import.meta.url))
/** The second way shows that it works; the first, that it goes on. */
const PLAYED_SECONDS = { files: 10, ranges: 4 }
/** Three target durations: nobody plays nearer to the end without parts (RFC 8216bis §6.3.3). */
const LATENCY_MAX_SECONDS = 6

t.setTimeout(280_000)

const browser = await launchBrowser(t)

const statsSchema = z.object({
  time: z.number(),
  latency: z.number(),
  parts: z.number(),
  reloads: z.number(),
  stalls: z.number(),
  errors: z.array(z.string()),
})

/** Runs in the page: an expression, since the tests do not have the page's types. */
const player = (url: string) => `
  const video = document.createElement('video')
  video.muted = true
  document.body.append(video)
  const hls = new Hls({ lowLatencyMode: true, cmcd: { useHeaders: false } })
  const stats = { parts: 0, reloads: 0, stalls: 0, errors: [] }
  hls.on(Hls.Events.FRAG_LOADED, (_, data) => { if (data.part) stats.parts++ })
  hls.on(Hls.Events.LEVEL_LOADED, () => { stats.reloads++ })
  hls.on(Hls.Events.ERROR, (_, data) => { stats.errors.push(data.details + ' ' + (data.response?.code ?? '')) })
  const ranOut = ${RAN_OUT}
  video.addEventListener('waiting', () => {
    if (video.currentTime > 0 && video.played.length > 0 && ranOut(video)) stats.stalls++
  })
  hls.loadSource(${JSON.stringify(url)})
  hls.attachMedia(video)
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play())
  const played = () => (video.played.length === 0 ? 0 : video.currentTime - video.played.start(video.played.length - 1))
  window.stats = () => ({ ...stats, played: played(), time: video.currentTime, latency: hls.latency })
`

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage()
  await page.addScriptTag({ path: HLS })
  await page.evaluate(player(url))
  // It looks for its place first, and may step over a hole to get there.
  await page.waitForFunction('window.stats().played > 0.5', null, { timeout: 30_000 })
  return page
}

async function statsOf(page: Page): Promise<z.infer<typeof statsSchema>> {
  return statsSchema.parse(await page.evaluate('window.stats()'))
}

/** Until a player has its place: a hole that it steps over, and what it says of a machine that is slow to start it. */
const OF_A_START = new Set(['bufferSeekOverHole', 'bufferStalledError', 'levelLoadTimeOut'])

for (const parts of ['files', 'ranges'] as const) {
  t.test(`two viewers at low latency, parts as ${parts}`, async (t) => {
    const origin = await startLowLatencyOrigin(t, { parts, mediaCacheControl: 'max-age=60' })
    const edge = await startEdge(t, { origin: origin.url })
    publishByClock(t, origin)
    const url = `${edge.url}/~all/live/index.m3u8`
    const pages = await Promise.all([open(browser, url), open(browser, url)])
    // What it takes to find its place is not what it plays like.
    const before = await Promise.all(pages.map((page) => statsOf(page)))
    await Promise.all(
      pages.map((page, i) =>
        page.waitForFunction(
          `window.stats().time > ${(before[i]?.time ?? 0) + PLAYED_SECONDS[parts]}`,
          null,
          {
            timeout: 40_000,
          },
        ),
      ),
    )
    for (const [i, page] of pages.entries()) {
      const stats = await statsOf(page)
      t.equal(stats.stalls, before[i]?.stalls, 'no stall')
      const found = before[i]?.errors ?? []
      t.strictSame(stats.errors.slice(found.length), [], 'no error')
      t.ok(
        found.every((error) => OF_A_START.has(error.trim())),
        `none before but of a start: ${found.join()}`,
      )
      const late = found.filter((error) => error.startsWith('levelLoadTimeOut'))
      t.ok(late.length <= 1, 'one reload may have waited for the machine, and none for the edge')
      t.ok(stats.latency < LATENCY_MAX_SECONDS, `${stats.latency.toFixed(2)} s behind the origin`)
      // A part lasts 0.4 s.
      t.ok(stats.parts > PLAYED_SECONDS[parts] * 2, `${stats.parts} parts`)
      t.ok(stats.reloads > PLAYED_SECONDS[parts] * 2, `${stats.reloads} reloads`)
    }
    for (const page of pages) await page.close()

    const reloads = [...origin.counts].filter(([target]) => target.includes('_HLS_msn='))
    t.ok(reloads.length > PLAYED_SECONDS[parts] * 2, `${reloads.length} blocking reloads`)
    t.strictSame(
      reloads.filter(([, count]) => count !== 1),
      [],
      'each of them once',
    )
    const media = [...origin.counts].filter(([target]) => /m4s/.test(target))
    t.strictSame(
      media.filter(([, count]) => count !== 1),
      [],
      'each part once',
    )
    t.notOk(
      [...origin.counts.keys()].some((target) => /CMCD/.test(target)),
      'what the players say stays here',
    )
    const metrics = (await get(`${edge.admin}/metrics`)).text
    t.match(
      metrics,
      /edgeward_edge_cmcd_requests_total\{property="all",object_type="manifest",format="hls"\} \d+/,
    )
  })
}
