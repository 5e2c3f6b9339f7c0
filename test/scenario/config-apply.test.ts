// A changed edgeward.yaml, applied while viewers ask and edges serve: all of it is taken over at once, by the scheduler and
// by its edges, and nobody is answered otherwise meanwhile. What cannot be used changes nothing.
import t from 'tap'
import { get } from '../kit/client.ts'
import {
  clusterSettings,
  propertyOf,
  startJoinedEdge,
  startRolloutScheduler,
  statesOf,
} from '../kit/rollout.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FRESH = { 'Cache-Control': 'public, max-age=600' }

const origin = await startOrigin(t, { '/a.ts': () => ({ body: 'a', fields: FRESH }) })
const settings = await clusterSettings(origin.url, ['gz-1', 'gz-2'])
const scheduler = await startRolloutScheduler(t, settings)
const edges = await Promise.all(
  ['gz-1', 'gz-2'].map((id) => startJoinedEdge(t, id, settings, scheduler.control)),
)
const { steering } = scheduler
await until('all run it', async () => {
  const states = statesOf(await scheduler.status())
  return states['gz-1'] === 'applied' && states['gz-2'] === 'applied'
})

t.test('a property more: steered and served within moments, with no other answer meanwhile', async (t) => {
  await untilSteered('shows')
  const viewer = watch()
  await scheduler.change((file) =>
    Object.assign(file, { properties: [propertyOf('shows'), propertyOf('films')] }),
  )
  t.equal((await scheduler.status()).file.state, 'changed')
  const { code, stdout } = await scheduler.config('apply')
  t.equal(code, 0)
  t.match(stdout, /^version 2 is current\n2 edges: 2 run it\n$/)
  t.equal(await statusAt(steering, 'films'), 302)
  for (const { url } of edges) t.equal(await statusAt(url, 'films'), 200, 'edges have it')
  t.same(await viewer.end(), ['302'], 'every answer is a redirect')

  const { running, file, edges: told } = await scheduler.status()
  t.match(running, { number: 2, by: 'api', rollbackTo: null })
  t.equal(file.state, 'same')
  for (const { version, acknowledgedAtMs } of told) {
    t.equal(version, 2)
    const tookMs = (acknowledgedAtMs ?? Infinity) - (running?.atMs ?? 0)
    t.ok(tookMs < 900, `acknowledged after ${Math.round(tookMs)} ms`)
  }
})

async function statusAt(url: string, property: string): Promise<number> {
  return (await get(`${url}/a.ts`, { headers: { host: `${property}.example.com` } })).status
}

async function untilSteered(property: string): Promise<void> {
  await until(`${property} is steered`, async () => (await statusAt(steering, property)) === 302)
}

/** Asks the scheduler for `shows` every few milliseconds. */
function watch() {
  const seen = new Set<string>()
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const status = await statusAt(steering, 'shows').catch(() => 'none')
      seen.add(String(status))
    }
  })()
  return {
    async end() {
      stopping.abort()
      await running
      return [...seen]
    },
  }
}
