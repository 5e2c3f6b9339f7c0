// A film is prefetched: the rendition that is asked for, with its sound, onto the edge that viewers are sent to; with its
// origin gone it plays from there.
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { SHOWS, begin, filmOf, metricOf, prefetch, progressOf, untilDone } from '../kit/prefetching.ts'
import { ask } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const film = filmOf('film')
const origin = await startOrigin(t, film.answers)
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { guangzhou: { edges: ['gz-1', 'gz-2'] }, frankfurt: { edges: ['fra-1'] } },
})
const CHOSEN = ['/film/main.m3u8', ...film.of[720], ...film.of[360], ...film.of.audio]

t.test('up to 720p, to one site', async (t) => {
  const { code, stdout, stderr } = await prefetch(
    t,
    cluster,
    `${SHOWS}/film/main.m3u8`,
    '--sites=guangzhou',
    '--renditions=720p',
    '--wait',
  )
  t.equal(code, 0, stderr)
  t.match(stdout, /^[0-9a-f]{12}\ndone, 100 %: \d+ fetched \(/)
  for (const path of CHOSEN) t.equal(origin.count(path), 1, path)
  for (const path of film.of[1080]) t.equal(origin.count(path), 0, path)
  t.equal(origin.count('/film/commentary/list.m3u8'), 0, 'nobody plays it with these')
  t.equal(await metricOf(cluster.edge('fra-1').admin, /^edgeward_edge_prefetch_job_objects_total/), 0)

  const id = stdout.slice(0, 12)
  const status = await untilDone(cluster.admin, id)
  t.equal(status.edges.length, 1, 'the playlist and all that it names go to one edge')
  const [edge] = status.edges
  t.match(progressOf(status, edge?.id ?? ''), {
    state: 'done',
    counts: { urls: 1, fetched: CHOSEN.length, present: 0, failed: 0, elsewhere: 0 },
    failures: [],
  })
  const page = await prefetch(t, cluster, 'status', id)
  t.match(page.stdout, /1 URLs to guangzhou; renditions 720p\ndone, 100 %/)
  t.match((await prefetch(t, cluster, 'list')).stdout, new RegExp(`${id} .* done +1 +100 %`))
})

t.test('again it costs nothing', async (t) => {
  const before = origin.total()
  const { id } = await begin(cluster.admin, [`${SHOWS}/film/main.m3u8`], '?sites=guangzhou&renditions=720p')
  const status = await untilDone(cluster.admin, id)
  t.match(status.edges[0]?.progress, { counts: { fetched: 0, present: CHOSEN.length, bytes: 0 } })
  t.equal(origin.total(), before)
})

t.test('with the origin gone, a viewer gets it all where the scheduler sends them', async (t) => {
  await origin.stop()
  const redirect = await get(`${cluster.steering}/film/main.m3u8`, { headers: { Host: 'shows.example.com' } })
  const location = String(redirect.headers.location)
  const edge = [...cluster.edges.values()].find(({ url }) => location.startsWith(url))
  if (edge === undefined) throw new Error(`sent to ${location}`)
  for (const path of CHOSEN) {
    const reply = await ask(edge, path)
    t.equal(reply.status, 200, path)
    t.ok(cacheStatusOf(reply).has('hit'), path)
    t.ok(reply.body.equals(Buffer.from(film.answers[path]?.body ?? '')) || path.endsWith('.m3u8'), path)
  }
  await edge.restart()
  const reply = await ask(edge, film.of[720][3] ?? '')
  t.ok(cacheStatusOf(reply).has('hit'), 'it lies on disk')
})
