// An edge that is killed in the middle goes on where it was; one that is away gets its part when it comes back.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { startCluster } from '../kit/cluster.ts'
import { SHOWS, begin, listOf, prefetch, progressOf, statusOf, untilDone } from '../kit/prefetching.ts'
import { ask } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const COUNT = 400
const FRESH = { 'Cache-Control': 'max-age=86400' }
const pathOf = (i: number) => `/f${i}/x.ts`
const origin = await startOrigin(
  t,
  Object.fromEntries(
    Array.from(
      { length: COUNT },
      (_none, i) => [pathOf(i), { body: bytesOf(i, 5000), fields: FRESH }] as const,
    ),
  ),
)
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { guangzhou: { edges: ['gz-1'] }, frankfurt: { edges: ['fra-1'] } },
})
const urls = Array.from({ length: COUNT }, (_none, i) => SHOWS + pathOf(i))
urls[7] = `${SHOWS}/missing.ts`

t.test('killed in the middle', async (t) => {
  const edge = cluster.edge('gz-1')
  // 400 × 5 kB at 4 Mbit/s are four seconds.
  const { id } = await begin(cluster.admin, urls, '?sites=guangzhou&rate=4Mbit')
  await until('a part of the list is behind it', async () => {
    const said = progressOf(await statusOf(cluster.admin, id), 'gz-1')
    return (said?.checkpoint.from ?? 0) >= 1
  })
  await edge.stop('SIGKILL')
  const { failures } = progressOf(await statusOf(cluster.admin, id), 'gz-1') ?? {}
  t.match(failures, [{ path: '/missing.ts' }])
  await edge.start()
  const said = progressOf(await untilDone(cluster.admin, id), 'gz-1')
  t.match(said?.counts, { urls: COUNT, known: COUNT, failed: 1 })
  t.equal((said?.counts.fetched ?? 0) + (said?.counts.present ?? 0), COUNT - 1)
  t.equal(said?.failures.length, 1, 'what had failed is told once')
  t.equal(origin.count('/missing.ts'), 1, 'and what was behind it is not asked for again')
  t.ok(cacheStatusOf(await ask(edge, pathOf(COUNT - 1))).has('hit'))
})

t.test('away from the beginning', async (t) => {
  const edge = cluster.edge('fra-1')
  await edge.stop()
  await until('it is away', async () => (await cluster.states()).get('fra-1') === 'down')
  const { code, stdout } = await prefetch(t, cluster, ...urls.slice(20, 30), '--wait')
  t.equal(code, 0)
  t.match(stdout, /active, 50 %: 0 fetched \(0 B\), 10 here already, 0 failed.*; away: fra-1/)
  const id = stdout.slice(0, 12)
  t.match((await prefetch(t, cluster, 'status', id)).stdout, /frankfurt +fra-1 +away \(down\) +0 %/)

  await edge.start()
  await untilDone(cluster.admin, id)
  t.ok(cacheStatusOf(await ask(edge, pathOf(25))).has('hit'))
})

t.test('a scheduler alone forgets with its process, and edges let go', async (t) => {
  const { id } = await begin(cluster.admin, urls.slice(30), '?rate=10kbit')
  await until('it is begun', async () =>
    (await statusOf(cluster.admin, id)).edges.every(({ progress }) => progress !== null),
  )
  await cluster.restartScheduler()
  t.same(await listOf(cluster.admin), [])
  // Nothing of the old one is left that would hold up a new one.
  await untilDone(cluster.admin, (await begin(cluster.admin, urls.slice(20, 30))).id)
})
