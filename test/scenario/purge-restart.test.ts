// Purges and edges that were away: an edge that was stopped, or killed, while something was purged does not serve it as
// fresh when it is back; what it cannot know to be good it asks for again, once.
import t from 'tap'
import { metricOf } from '../kit/metric.ts'
import { answer, fill, seen, startPair } from '../kit/purged-pair.ts'
import { applied, postPurge } from '../kit/purging.ts'
import { until } from '../kit/until.ts'

const URL_OF = (path: string) => `http://shows.example.com${path}`

const WAYS: readonly [string, Readonly<Record<string, string | boolean>>][] = [
  ['URL', { url: URL_OF('/a') }],
  ['prefix', { prefix: URL_OF('/a') }],
  ['wildcard', { property: 'shows', wildcard: '/a' }],
  ['tag', { property: 'shows', tag: 'tag/a' }],
]

t.test('a lone scheduler that starts again has edges ask once for all they have', async (t) => {
  const [cluster, edge] = await startPair(t)
  for (const way of ['nothing was ever purged', 'something was']) {
    await fill(edge)
    await cluster.restartScheduler()
    const all = 'edgeward_edge_purges_applied_total{scope="all",mode="soft"}'
    await until('it has heard of it', async () => (await metricOf(edge.admin, all)) > 0)
    t.same(await seen(edge), ['stale 304: /a 1', 'stale 304: /b 1'], way)
    t.same(await seen(edge), ['hit: /a 1', 'hit: /b 1'], 'and no more')
    const id = await postPurge(cluster.admin, { url: URL_OF('/a') })
    await applied(cluster.admin, id, ['e-1', 'e-2'])
    t.same(await seen(edge), ['uri-miss: /a 1', 'hit: /b 1'], 'a purge reaches it as before')
    await edge.restart()
    t.same(await seen(edge), ['hit: /a 1', 'hit: /b 1'], 'a start changes nothing')
  }
})

const [cluster, edge, origin] = await startPair(t)
/** Of `/a` at the origin. */
let version = 1

t.test('the very first purge of a cluster is applied', async (t) => {
  await fill(edge)
  await applied(cluster.admin, await postPurge(cluster.admin, { url: URL_OF('/a') }), ['e-1', 'e-2'])
  t.same(await seen(edge), ['uri-miss: /a 1', 'hit: /b 1'])
})

t.test('what was purged before an edge stopped stays purged', async (t) => {
  for (const [way, body] of WAYS) {
    await fill(edge)
    await applied(cluster.admin, await postPurge(cluster.admin, body), ['e-1'])
    // At once: nobody has asked for it in between.
    await edge.stop('SIGKILL')
    await edge.start()
    t.same(await seen(edge), ['uri-miss: /a 1', 'hit: /b 1'], way)
  }
})

t.test('what was purged while an edge was away is not fresh when it is back', async (t) => {
  for (const [i, signal] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
    for (const [way, body] of WAYS.slice(2 * i, 2 * i + 2)) {
      await fill(edge)
      await edge.stop(signal)
      const id = await postPurge(cluster.admin, body)
      await applied(cluster.admin, id, ['e-2'])
      origin.on('/a', answer('/a', ++version))
      await edge.start()
      t.same(await seen(edge), [`uri-miss: /a ${version}`, 'hit: /b 1'], `${way}, ${signal}`)
      t.same(await seen(edge), [`hit: /a ${version}`, 'hit: /b 1'])
      // Being back, it says so.
      await applied(cluster.admin, id, ['e-1', 'e-2'])
    }
  }
  await edge.restart('SIGKILL')
  t.same(await seen(edge), [`hit: /a ${version}`, 'hit: /b 1'], 'and once it knows, it knows')
})

t.test('nor is what was purged softly fresh, with no scheduler there', async (t) => {
  await fill(edge)
  await applied(cluster.admin, await postPurge(cluster.admin, { ...WAYS[1]?.[1], soft: true }), ['e-1'])
  await edge.stop('SIGKILL')
  await cluster.scheduler.stop()
  origin.on('/a', answer('/a', ++version))
  await edge.start()
  t.same(await seen(edge), [`stale: /a ${version}`, 'hit: /b 1'])
  await until('it says that it cannot know more', () =>
    edge.log().some(({ msg }) => msg?.startsWith('no scheduler tells what was purged')),
  )
})
