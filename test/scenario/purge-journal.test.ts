// What an edge wrote down of purges, over restarts: a journal that cannot be trusted has everything asked for again, once; an
// edge that has nothing on disk needs none; one without a scheduler keeps one too.
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { fill, journalOf, seen, startPair, startVersions } from '../kit/purged-pair.ts'
import { applied, post, postPurge } from '../kit/purging.ts'
import { until } from '../kit/until.ts'

const MEMORY_ONLY = { edgeConfig: { cache: { memory: '64MiB', directories: [] } } }

const DAMAGES: readonly [name: string, damage: (file: string) => Promise<void>, a: string, b: string][] = [
  ['torn in its last line', (file) => appendFile(file, '{"count":17,"pur'), 'uri-miss', 'hit'],
  ['damaged in its first line', damageFirstLine, 'uri-miss', 'stale 304'],
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
    await applied(cluster.admin, await postPurge(cluster.admin, { prefix: 'http://shows.example.com/a' }), [
      'e-1',
    ])
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
  // Without a disk it has no configuration either, until the scheduler sends it.
  await until('its configuration', async () => (await get(`${edge.admin}/readyz`)).status === 200)
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
