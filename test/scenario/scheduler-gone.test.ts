// The scheduler is gone for an hour, as its edges' calendars have it: they serve on, fill from each other and from origins as
// they were told last, start again and still do.
import t from 'tap'
import type { Test } from 'tap'
import { get } from '../kit/client.ts'
import { clockAhead } from '../kit/clock-ahead.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { ask, outcomeOf } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { ScriptedOrigin } from '../kit/scripted-origin.ts'
import { guidanceAt, tiersAt } from '../kit/tiered-cluster.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const EDGES = ['n-1', 'n-2', 's-1'] as const
const day = { body: 'film', fields: { 'Cache-Control': 'max-age=86400' } }

/** Two sites; north fills from the shield at south, which fills from the origin. */
async function startSites(t: TestScope): Promise<[Cluster, ScriptedOrigin]> {
  const paths = ['/kept', '/after', '/restarted', '/later', '/back']
  const origin = await startOrigin(t, Object.fromEntries(paths.map((path) => [path, day])))
  origin.on('/health', { body: 'ok' })
  const cluster = await startCluster(t, {
    origin: origin.url,
    originEntry: { health: { path: '/health', every: '200ms' } },
    sites: { north: { edges: ['n-1', 'n-2'] }, south: { edges: ['s-1'] } },
    property: { shield: 'south' },
  })
  await until('the edges know whom to ask', async () => {
    const tiers = await Promise.all(['n-1', 'n-2'].map((id) => tiersAt(cluster.edge(id), 'shows')))
    // The shield has to know, too, who asks it.
    const { secrets } = await guidanceAt(cluster.edge('s-1'))
    const isComplete = tiers.every(
      ([peers, shield]) => peers?.edges.length === 2 && shield?.kind === 'shield',
    )
    return isComplete && secrets.length > 0
  })
  return [cluster, origin]
}

/** Both edges of the north have it, and it was asked for once, by the shield. */
async function filled(t: Test, cluster: Cluster, origin: ScriptedOrigin, path: string): Promise<void> {
  for (const id of ['n-1', 'n-2'])
    t.match(await ask(cluster.edge(id), path), { status: 200, text: 'film' }, path)
  t.equal(origin.count(path), 1, path)
  t.match(origin.requests(path)[0]?.headers['cdn-loop'], /s-1/)
}

t.jobs = 2

const ahead = clockAhead(1)

t.test(
  'an hour without a scheduler',
  { buffered: true, skip: ahead === null && 'needs libfaketime' },
  async (t) => {
    const [cluster, origin] = await startSites(t)
    await filled(t, cluster, origin, '/kept')
    await cluster.scheduler.stop('SIGKILL')
    t.equal(outcomeOf(await ask(cluster.edge('n-1'), '/kept')), 'hit')
    await filled(t, cluster, origin, '/after')

    await Promise.all(EDGES.map((id) => cluster.edge(id).stop('SIGKILL')))
    await Promise.all(EDGES.map((id) => cluster.edge(id).start(ahead ?? {})))
    const kept = await ask(cluster.edge('n-1'), '/kept')
    t.equal(outcomeOf(kept), 'hit')
    t.ok(Number(kept.headers.age) >= 3600, `it is an hour later: Age ${kept.headers.age}`)
    await filled(t, cluster, origin, '/later')
  },
)

t.test(
  'an origin that was down when the scheduler went is asked when it is back',
  { buffered: true },
  async (t) => {
    const [cluster, origin] = await startSites(t)
    // In its own words, so that nobody asks it before the scheduler says that it is back.
    origin.on('/health', { status: 503 })
    for (const id of EDGES)
      await until(`${id} was told`, async () => {
        const said = (await guidanceAt(cluster.edge(id))).origins['studio']
        return said?.state === 'down' && said.probed
      })
    t.match(await ask(cluster.edge('n-1'), '/kept'), { status: /^50[234]$/ })
    t.equal(origin.count('/kept'), 0)
    await cluster.scheduler.stop('SIGKILL')
    await cluster.edge('n-1').restart('SIGKILL')

    // One of them has started again, the others run on.
    for (const id of EDGES)
      await until(
        `${id} asks it`,
        async () => (await get(`${cluster.edge(id).url}/~shows/${id}`)).status === 404,
        20_000,
      )
  },
)
