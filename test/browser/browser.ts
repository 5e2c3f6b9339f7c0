// Headless Chromium for the tests of the player page: started, watched, and made to play. `CHROMIUM` names
// another executable.
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import type { TestScope } from '../kit/scope.ts'

const PLAYED_WITHIN_MS = 40_000

// No sandbox, GPU or background traffic: the test runs in containers, offline, as any user.
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]

export async function launchBrowser(t: TestScope): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ARGS })
  t.teardown(() => browser.close())
  return browser
}

/** What the page fetched as segments: final URLs, with their Cache-Status. */
export interface SegmentLog {
  origins: Set<string>
  /** Path → Cache-Status. */
  cacheStatuses: Map<string, string>
  failures: string[]
}

export function watch(page: Page): SegmentLog {
  const log: SegmentLog = { origins: new Set(), cacheStatuses: new Map(), failures: [] }
  page.on('pageerror', (error) => log.failures.push(error.message))
  page.on('response', (response) => {
    const url = new URL(response.url())
    if (response.status() >= 400) log.failures.push(`${response.status()} ${url.href}`)
    if (!/\/seg-\d+\./.test(url.pathname)) return
    log.origins.add(url.origin)
    log.cacheStatuses.set(url.pathname, response.headers()['cache-status'] ?? '')
  })
  return log
}

/**
 * Runs in the page: whether `video` has run out of what it plays. It also waits where a busy machine decodes too slowly what
 * it has, which says nothing of who sends it.
 */
export const RAN_OUT = `(video) => !Array.from(video.buffered, (_, i) => i).some((i) =>
  video.buffered.start(i) <= video.currentTime && video.buffered.end(i) > video.currentTime + 0.2)`

/** Waits until the page has played so many seconds from where it is; gives how many it played. */
export async function playFor(page: Page, seconds: number): Promise<number> {
  // Expressions, since they run in the page, whose types the tests do not have.
  await page.waitForFunction('window.player.video.currentTime > 0', null, { timeout: PLAYED_WITHIN_MS })
  const from = Number(await page.evaluate('window.player.video.currentTime'))
  await page.waitForFunction(`window.player.video.currentTime >= ${from + seconds}`, null, {
    timeout: PLAYED_WITHIN_MS,
  })
  return Number(await page.evaluate('window.player.video.currentTime')) - from
}
