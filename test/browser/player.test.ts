// The player page in headless Chromium: reached through the scheduler, it plays ten seconds from the edge that
// the scheduler chose. Keeps a screenshot under artifacts/.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startDemo } from '../kit/demo.ts'

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url))
const PLAYED_SECONDS = 10
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

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ARGS,
})
t.teardown(() => browser.close())
const { info } = await startDemo(t)
/** Segments that the first viewer was sent. */
let seen = new Set<string>()

// Plays for longer than tap's own bound for a file that is run by hand.
t.setTimeout(110_000)

/** What the page fetched as segments: final URLs, with their Cache-Status. */
interface SegmentLog {
  origins: Set<string>
  /** Path → Cache-Status. */
  cacheStatuses: Map<string, string>
  failures: string[]
}

function watch(page: Page): SegmentLog {
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

async function playFor(page: Page, seconds: number): Promise<number> {
  // Expressions, since they run in the page, whose types the tests do not have.
  await page.waitForFunction('window.player.video.currentTime > 0', null, { timeout: PLAYED_WITHIN_MS })
  const from = Number(await page.evaluate('window.player.video.currentTime'))
  await page.waitForFunction(`window.player.video.currentTime >= ${from + seconds}`, null, {
    timeout: PLAYED_WITHIN_MS,
  })
  return Number(await page.evaluate('window.player.video.currentTime')) - from
}

async function chosenFor(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual' })
  await response.body?.cancel()
  return new URL(response.headers.get('location') ?? '').origin
}

t.test('plays the recording from the chosen edge', async (t) => {
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 }, colorScheme: 'dark' })
  const log = watch(page)
  await page.goto(info.player)
  t.equal(new URL(page.url()).origin, await chosenFor(info.player), 'the page itself came from an edge')
  const played = await playFor(page, PLAYED_SECONDS)
  t.ok(played >= PLAYED_SECONDS, `played ${played} s`)

  t.strictSame([...log.origins], [await chosenFor(info.vod)])
  t.notOk([...log.cacheStatuses.values()].includes(''), 'each segment says how it was served')
  t.strictSame(log.failures, [])
  const edgeShown = await page.locator('#edge').textContent()
  t.equal(`http://${edgeShown}`, await chosenFor(info.vod), 'the panel names the edge')
  t.match(await page.locator('#cache-status').textContent(), /;/)
  t.equal(await page.locator('#scheduler').textContent(), new URL(info.scheduler.steering).host)
  t.equal(await page.locator('#notice').textContent(), '')

  seen = new Set(log.cacheStatuses.keys())
  await mkdir(ARTIFACTS, { recursive: true })
  await page.screenshot({ path: `${ARTIFACTS}player.png` })
  await page.close()
})

t.test('plays every other stream of the row', async (t) => {
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 } })
  const log = watch(page)
  await page.goto(info.player)
  for (const name of ['VOD TS', 'Live fMP4', 'Live TS', 'MP4']) {
    await page.getByRole('button', { name, exact: true }).click()
    await playFor(page, 2)
    t.pass(name)
  }
  t.strictSame(log.failures, [])
  await page.close()
})

t.test('a second viewer is served from the cache', async (t) => {
  const page = await browser.newPage()
  const log = watch(page)
  await page.goto(info.player)
  await playFor(page, 2)
  const again = [...log.cacheStatuses].filter(([path]) => seen.has(path))
  t.ok(again.length > 0, 'segments that the first viewer was sent')
  for (const [path, status] of again) t.match(status, /; ?hit/, path)
  await page.close()
})

t.test('goes on from another edge when its own is killed', async (t) => {
  // A demo of its own, since this one loses an edge.
  const own = await startDemo(t)
  const page = await browser.newPage()
  const log = watch(page)
  await page.goto(own.info.player)
  await playFor(page, 1)
  const first = own.info.edges.find((edge) => log.origins.has(edge.url))
  if (first === undefined) throw new Error(`no edge among ${[...log.origins].join(', ')}`)
  process.kill(first.pid, 'SIGKILL')
  // Well past what was buffered from the first edge.
  await playFor(page, 15)
  const others = own.info.edges.filter((edge) => edge !== first && log.origins.has(edge.url))
  t.equal(others.length, 1, 'segments came from one other edge')
  await page.close()
})
