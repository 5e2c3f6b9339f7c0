// Purges and edges that were away: an edge that was stopped, or killed, while something was purged does not serve it as
// fresh when it is back; what it cannot know to be good it asks for again, once.
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import { applied, ask, outcomeOf, post, postPurge } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { ScriptedOrigin } from '../kit/scripted-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const PATHS = ['/a', '/b'] as const
const URL_OF = (path: string) => `http://shows.example.com${path}`
const MEMORY_ONLY = { edgeConfig: { cache: { memory: '64MiB', directories: [] } } }

/** An origin at version 1 of two objects, each with a tag of its own. */
function startVersions(t: TestScope): Promise<ScriptedOrigin> {
  return startOrigin(t, { '/a': answer('/a', 1), '/b': answer('/b', 1) })
}

function answer(path: string, version: number) {
  const fields = { 'Cache-Control': 'max-age=600', ETag: `"${version}"`, 'Surrogate-Key': `tag${path}` }
  return { body: `${path} ${version}`, fields }
}

/** Both objects, stored and on disk. */
async function fill(edge: TestEdge): Promise<void> {
  for (const path of PATHS) await ask(edge, path)
  await until('both are written', async () => (await metricOf(edge.admin, DISK_BYTES)) > 0)
  for (const path of PATHS) await ask(edge, path)
}

const DISK_BYTES = 'edgeward_edge_disk_tier_bytes'

/** What the edge makes of both: `hit`, `uri-miss`, `stale 304`, with the version. */
async function seen(edge: TestEdge): Promise<string[]> {
  const replies = []
  for (const path of PATHS) {
    const reply = await ask(edge, path)
    replies.push(`${outcomeOf(reply)}: ${reply.text}`)
  }
  return replies
}

const journalOf = (edge: TestEdge) => path.join(edge.directory, 'cache', 'purges.log')

async function startPair(t: TestScope, options: object = {}): Promise<[Cluster, TestEdge, ScriptedOrigin]> {
  const origin = await startVersions(t)
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { one: { edges: ['e-1', 'e-2'] } },
    ...options,
  })
  return [cluster, cluster.edge('e-1'), origin]
}

const WAYS: readonly [string, Readonly<Record<string, string | boolean>>][] = [
  ['URL', { url: URL_OF('/a') }],
  ['prefix', { prefix: URL_OF('/a') }],
  ['wildcard', { property: 'shows', wildcard: '/a' }],
  ['tag', { property: 'shows', tag: 'tag/a' }],
]

t.test('what was purged while an edge was away is not fresh when it is back', async (t) => {
  const [cluster, edge, origin] = await startPair(t)
  let version = 1
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

t.test('what was purged before an edge stopped stays purged, with no scheduler there', async (t) => {
  const [cluster, edge, origin] = await startPair(t)
  for (const [way, body] of WAYS) {
    await fill(edge)
    await applied(cluster.admin, await postPurge(cluster.admin, body), ['e-1'])
    // At once: nobody has asked for it in between.
    await edge.stop('SIGKILL')
    await edge.start()
    t.same(await seen(edge), ['uri-miss: /a 1', 'hit: /b 1'], way)
  }
  await fill(edge)
  await applied(cluster.admin, await postPurge(cluster.admin, { ...WAYS[1]?.[1], soft: true }), ['e-1'])
  await edge.stop('SIGKILL')
  await cluster.scheduler.stop()
  origin.on('/a', answer('/a', 2))
  await edge.start()
  t.same(await seen(edge), ['stale: /a 2', 'hit: /b 1'])
  t.ok(
    edge.log().some(({ msg }) => msg?.startsWith('no scheduler tells what was purged')),
    'it says that it cannot know more',
  )
})

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

t.test('the very first purge of a cluster is applied', async (t) => {
  const [cluster, edge] = await startPair(t)
  await fill(edge)
  await applied(cluster.admin, await postPurge(cluster.admin, { url: URL_OF('/a') }), ['e-1', 'e-2'])
  t.same(await seen(edge), ['uri-miss: /a 1', 'hit: /b 1'])
})

const DAMAGES: readonly [name: string, damage: (file: string) => Promise<void>, a: string, b: string][] = [
  ['torn in its last line', (file) => appendFile(file, '{"count":17,"pur'), 'uri-miss', 'hit'],
  ['damaged in its first line', damageFirstLine, 'uri-miss', 'stale 304'],
  ['full of zeros', (file) => writeFile(file, Buffer.alloc(4096)), 'stale 304', 'stale 304'],
  ['empty', (file) => writeFile(file, ''), 'stale 304', 'stale 304'],
  ['deleted', (file) => rm(file), 'stale 304', 'stale 304'],
]

async function damageFirstLine(file: string): Promise<void> {
  const [, ...lines] = (await readFile(file, 'utf8')).split('\n')
  await writeFile(file, ['{"count":"x"}', ...lines].join('\n'))
}

t.test('a journal that cannot be trusted: everything is asked for again, once', async (t) => {
  const [cluster, edge] = await startPair(t)
  await cluster.edge('e-2').stop()
  for (const [name, damage, a, b] of DAMAGES) {
    await fill(edge)
    await applied(cluster.admin, await postPurge(cluster.admin, { prefix: URL_OF('/a') }), ['e-1'])
    await edge.stop('SIGKILL')
    await damage(journalOf(edge))
    await edge.start()
    t.same(await seen(edge), [`${a}: /a 1`, `${b}: /b 1`], name)
    await edge.restart()
    t.same(await seen(edge), ['hit: /a 1', 'hit: /b 1'], 'and then it knows')
  }
})

t.test('an edge with memory only begins anew, and takes purges', async (t) => {
  const [cluster, edge] = await startPair(t, MEMORY_ONLY)
  t.same(await seen(edge), ['uri-miss: /a 1', 'uri-miss: /b 1'])
  await applied(cluster.admin, await postPurge(cluster.admin, { property: 'shows', tag: 'tag/b' }), ['e-1'])
  t.same(await seen(edge), ['hit: /a 1', 'uri-miss: /b 1'])
  await edge.restart()
  t.same(await seen(edge), ['uri-miss: /a 1', 'uri-miss: /b 1'])
  t.same(await seen(edge), ['hit: /a 1', 'hit: /b 1'], 'nothing was missed: it had nothing')
})

t.test('an edge without a scheduler takes purges of its own machine', async (t) => {
  const origin = await startVersions(t)
  const edge = await startEdge(t, { origin: origin.url })
  await fill(edge)
  const wanted = { property: 'all', scope: 'prefix', value: '/a', soft: false }
  t.match(await post(edge.admin, wanted), { status: 200 })
  await edge.restart('SIGKILL')
  t.same(await seen(edge), ['uri-miss: /a 1', 'hit: /b 1'])
  t.match(await post(edge.admin, { ...wanted, property: 'news' }), {
    status: 400,
    text: /no property of this edge has the id \\"news\\"/,
  })
  t.match(await post(edge.admin, { ...wanted, scope: 'url', value: 7 }), { status: 400, text: /value/ })
  t.match(await post(edge.admin, { property: null, scope: 'all', value: '', soft: true }), { status: 200 })
  t.same(await seen(edge), ['stale 304: /a 1', 'stale 304: /b 1'])
  await edge.stop()
  await rm(journalOf(edge))
  await edge.start()
  t.same(await seen(edge), ['stale 304: /a 1', 'stale 304: /b 1'], 'its journal is gone')
})
