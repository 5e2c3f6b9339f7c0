// The player page in headless Chromium: reached through the scheduler, it plays ten seconds from the edge that
// the scheduler chose. Keeps a screenshot under artifacts/.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startDemo } from '../kit/demo.ts'
import { launchBrowser, playFor, watch } from './browser.ts'

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url))
const PLAYED_SECONDS = 10

const browser = await launchBrowser(t)
const { info } = await startDemo(t)
/** Segments that the first viewer was sent. */
let seen = new Set<string>()

// Plays for longer than tap's own bound for a file that is run by hand.
t.setTimeout(280_000)

async function chosenFor(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual' })
  await response.body?.cancel()
  return new URL(response.headers.get('location') ?? '').origin
}

t.test('plays the recording from the chosen edge', async (t) => {
  const page = await browser.newPage({ viewport: { width: 1000, height: 830 }, colorScheme: 'dark' })
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
  const page = await browser.newPage({ viewport: { width: 1000, height: 830 } })
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
