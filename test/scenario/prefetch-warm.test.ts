// What a property keeps warm is fetched before anybody asks, at the sites that it names, and again when it is no longer
// fresh or has been purged.
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { startCluster } from '../kit/cluster.ts'
import { filmOf, listOf, prefetch } from '../kit/prefetching.ts'
import { applied, ask, postPurge } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const film = filmOf('film', 2)
const origin = await startOrigin(t, {
  ...film.answers,
  '/short.ts': { body: 'short', fields: { 'Cache-Control': 'max-age=1', ETag: '"1"' } },
})
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { guangzhou: { edges: ['gz-1'] }, frankfurt: { edges: ['fra-1'] } },
  property: {
    warm: [
      { paths: ['/film/main.m3u8'], renditions: 'lowest', sites: ['frankfurt'], every: '1s' },
      { paths: ['/short.ts'], every: '1s' },
    ],
  },
})
const WARM = ['/film/main.m3u8', ...film.of[360], ...film.of.audio]

async function newestOf(warm: string) {
  return (await listOf(cluster.admin)).find((job) => job.warm === warm)
}

t.test('from the start, at its site', async (t) => {
  const job = await until('it is issued', () => newestOf('shows#0'))
  t.same(job.sites, ['frankfurt'])
  // Nobody has asked for it yet.
  for (const path of WARM) await origin.asked(path)
  for (const path of WARM) {
    await until(path, async () => cacheStatusOf(await ask(cluster.edge('fra-1'), path)).has('hit'))
    t.equal(origin.count(path), 1, path)
  }
  for (const path of film.of[720]) t.equal(origin.count(path), 0, 'no other rendition')
  t.match((await prefetch(t, cluster, 'list')).stdout, /warm shows#0/)
})

t.test('and again: what is fresh costs nothing, what is not is asked for', async (t) => {
  const before = origin.count('/short.ts')
  const [first, short] = [await newestOf('shows#0'), '/short.ts']
  await origin.asked(short, before + 3)
  const later = await until('another has taken its place', async () => {
    const job = await newestOf('shows#0')
    return job !== undefined && job.id !== first?.id && job
  })
  await until('one of each entry is left', async () => (await listOf(cluster.admin)).length === 2)
  t.match(later, { sites: ['frankfurt'], settings: { renditions: 'lowest' } })
  t.equal(origin.count('/film/main.m3u8'), 1)
  t.ok(
    origin.requests(short).some(({ headers }) => headers['if-none-match'] === '"1"'),
    'by its ETag',
  )
})

t.test('what was purged is fetched again', async () => {
  const id = await postPurge(cluster.admin, { url: `http://shows.example.com${film.of[360][2]}` })
  await applied(cluster.admin, id, ['fra-1'])
  await origin.asked(film.of[360][2] ?? '', 2)
})
