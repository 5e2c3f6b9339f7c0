// A viewer whose edge is killed plays on: the player asks the scheduler again and is sent to another edge.
import t from 'tap'
import { startDemo } from '../kit/demo.ts'
import { launchBrowser, playFor, watch } from './browser.ts'

// Plays for longer than tap's own bound for a file that is run by hand.
t.setTimeout(280_000)

t.test('goes on from another edge when its own is killed', async (t) => {
  const browser = await launchBrowser(t)
  const { info } = await startDemo(t)
  const page = await browser.newPage()
  const log = watch(page)
  await page.goto(info.player)
  await playFor(page, 1)
  const first = info.edges.find((edge) => log.origins.has(edge.url))
  if (first === undefined) throw new Error(`no edge among ${[...log.origins].join(', ')}`)
  process.kill(first.pid, 'SIGKILL')
  // Well past what was buffered from the first edge.
  await playFor(page, 15)
  const others = info.edges.filter((edge) => edge !== first && log.origins.has(edge.url))
  t.equal(others.length, 1, 'segments came from one other edge')
  await page.close()
})
