// HLS Content Steering in play: hls.js in headless Chromium plays from one edge, that edge goes, and playback goes on
// from another. Nothing but hls.js acts: the page neither looks at errors nor loads anything again.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Page } from 'playwright-core'
import { startSteeredViewer } from './steered-viewer.ts'
import { RAN_OUT, launchBrowser, playFor } from './browser.ts'

const HLS = fileURLToPath(new URL('../../node_modules/hls.js/dist/hls.min.js', import.meta.url))
const BUFFER_SECONDS = 8
/** Beyond the buffer: the end of it came from another edge. */
const PLAYED_SECONDS = 13

t.setTimeout(280_000)

const browser = await launchBrowser(t)

async function open(page: Page, url: string): Promise<void> {
  await page.addScriptTag({ path: HLS })
  await page.evaluate(`
    const video = document.createElement('video')
    video.muted = true
    document.body.append(video)
    const hls = new Hls({ maxBufferLength: ${BUFFER_SECONDS}, maxMaxBufferLength: ${BUFFER_SECONDS} })
    window.player = { video, stalls: 0, errors: [], lists: 0 }
    let plays = false
    video.addEventListener('playing', () => { plays = true })
    const ranOut = ${RAN_OUT}
    video.addEventListener('waiting', () => { if (plays && ranOut(video)) window.player.stalls++ })
    hls.on(Hls.Events.ERROR, (_, { details }) => { window.player.errors.push(details) })
    hls.on(Hls.Events.STEERING_MANIFEST_LOADED, () => { window.player.lists++ })
    hls.loadSource(${JSON.stringify(url)})
    hls.attachMedia(video)
    video.play()
  `)
}

t.test('a recording, its edge killed: by the list that the player has', async (t) => {
  const { page, log, first, other } = await startSteeredViewer(t, browser, { stream: 'vod', ttl: '5m' }, open)
  await first.stop('SIGKILL')
  t.ok((await playFor(page, PLAYED_SECONDS)) >= PLAYED_SECONDS)
  t.strictSame([...log.origins], [first.url, other.url])
  t.equal(await page.evaluate('window.player.stalls'), 0, 'and nobody sees it')
  t.equal(await page.evaluate('window.player.lists'), 1)
})

t.test('a live channel, its edge killed', async (t) => {
  const { page, log, first, other } = await startSteeredViewer(
    t,
    browser,
    { stream: 'live', ttl: '2s' },
    open,
  )
  await first.stop('SIGKILL')
  t.ok((await playFor(page, PLAYED_SECONDS)) >= PLAYED_SECONDS)
  t.strictSame([...log.origins], [first.url, other.url])
})

t.test('an operator takes the edge down: by the next list, before anything fails', async (t) => {
  const viewer = await startSteeredViewer(t, browser, { stream: 'vod', ttl: '1s' }, open)
  const { cluster, page, log, first, other } = viewer
  const reply = await fetch(`${cluster.admin}/api/v1/edges/${first.id}/override`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ state: 'down' }),
  })
  t.equal(reply.status, 200)
  await playFor(page, PLAYED_SECONDS)
  t.strictSame([...log.origins], [first.url, other.url])
  t.strictSame(log.failures, [])
  t.equal(await page.evaluate('window.player.stalls'), 0)
  t.equal(await page.evaluate("window.player.errors.filter((what) => what.endsWith('LoadError')).length"), 0)
})
