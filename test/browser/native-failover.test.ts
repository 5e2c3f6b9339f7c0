// Chromium's own HLS player knows no Content Steering and keeps to the edge that it was sent to. When that is killed, a
// page that asks the scheduler again goes on from another.
import t from 'tap'
import type { Page } from 'playwright-core'
import { startSteeredViewer } from './steered-viewer.ts'
import { launchBrowser, playFor } from './browser.ts'

/** More than the player has in its buffer. */
const PLAYED_SECONDS = 12

t.setTimeout(280_000)

const browser = await launchBrowser(t)

/** As docs/players.md has it: again on an error, and when it has waited for three seconds. */
async function open(page: Page, url: string): Promise<void> {
  await page.evaluate(`
    const video = document.createElement('video')
    video.muted = true
    document.body.append(video)
    window.player = { video, again: 0 }
    const source = ${JSON.stringify(url)}
    let waiting
    const ask = () => {
      const { currentTime, duration } = video
      window.player.again++
      video.src = source
      if (Number.isFinite(duration)) video.currentTime = currentTime
      video.play().catch(() => {})
    }
    video.addEventListener('error', () => setTimeout(ask, 1000))
    video.addEventListener('waiting', () => { clearTimeout(waiting); waiting = setTimeout(ask, 3000) })
    video.addEventListener('playing', () => clearTimeout(waiting))
    video.src = source
    // One that is asked again meanwhile gives this one up.
    video.play().catch(() => {})
  `)
}

for (const stream of ['vod', 'live'] as const) {
  t.test(stream, async (t) => {
    const { page, log, first, other } = await startSteeredViewer(t, browser, { stream, ttl: '1m' }, open)
    const asked = Number(await page.evaluate('window.player.again'))
    await first.stop('SIGKILL')
    await page.waitForFunction(`window.player.again > ${asked}`, null, { timeout: 90_000 })
    t.pass('its own player gives up, or waits')
    t.ok((await playFor(page, PLAYED_SECONDS)) >= PLAYED_SECONDS)
    t.ok(log.origins.has(other.url))
  })
}
