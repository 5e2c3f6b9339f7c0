// A prefetch keeps to its hours and to its rate, of all edges together, leaves memory to what was asked for, and ends when
// it is cancelled.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { startCluster } from '../kit/cluster.ts'
import { SHOWS, begin, metricOf, prefetch, progressOf, statusOf, untilDone } from '../kit/prefetching.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'
import { systemClock } from '../../src/clock.ts'

const BYTES = 50_000
const COUNT = 20
/** Fresh for so short that a client's request would put it into memory. */
const answer = (seed: number) => ({
  body: bytesOf(seed, BYTES),
  fields: { 'Cache-Control': 'max-age=50', ETag: '"1"' },
})
const origin = await startOrigin(
  t,
  Object.fromEntries(
    ['a', 'b', 'c', 'd'].flatMap((name) =>
      Array.from({ length: COUNT }, (_none, i) => [`/${name}${i}/x.ts`, answer(i)] as const),
    ),
  ),
)
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { guangzhou: { edges: ['gz-1', 'gz-2'] } },
})
const urls = (name: string) => Array.from({ length: COUNT }, (_none, i) => `${SHOWS}/${name}${i}/x.ts`)

/** So many hours from now, in UTC. */
function hoursFromNow(first: number, last: number): string {
  return `${timeIn(first)}-${timeIn(last)}`
}

function timeIn(hours: number): string {
  return new Date(systemClock.now() + hours * 3_600_000).toISOString().slice(11, 16)
}

t.test('outside its hours it waits; cancelled, it never begins', async (t) => {
  const before = origin.total()
  const { id } = await begin(cluster.admin, urls('a'), `?window=${hoursFromNow(2, 3)}`)
  await until('the edges say that they wait', async () => {
    const { edges } = await statusOf(cluster.admin, id)
    return edges.every(({ progress }) => progress?.state === 'out-of-hours')
  })
  t.equal(origin.total(), before)
  const page = await prefetch(t, cluster, 'status', id)
  t.match(page.stdout, /out-of-hours/)
  t.match(page.stdout, / UTC\nactive, 0 %/)

  // Another one does not wait for it.
  await untilDone(cluster.admin, (await begin(cluster.admin, urls('b'), `?window=${hoursFromNow(-1, 1)}`)).id)

  const cancelled = await prefetch(t, cluster, 'cancel', id)
  t.equal(cancelled.code, 0)
  t.match(cancelled.stdout, `${id}: cancelled`)
  t.equal((await statusOf(cluster.admin, id)).state, 'cancelled')
  await until('the edges have nothing more to do', async () => {
    const jobs = [...cluster.edges.values()].map((edge) =>
      metricOf(edge.admin, /^edgeward_edge_prefetch_jobs /),
    )
    return (await Promise.all(jobs)).every((count) => count === 0)
  })
  t.equal(origin.count('/a0/x.ts'), 0)
})

t.test('memory is left to what was asked for', async (t) => {
  for (const edge of cluster.edges.values()) {
    const bytes = await metricOf(edge.admin, /^edgeward_edge_memory_tier_bytes /)
    t.ok(bytes < BYTES, `${bytes}`)
  }
})

t.test('at a rate, of all edges together', async (t) => {
  // 20 × 50 kB are 8 Mbit: four seconds at 2 Mbit/s.
  const begunMs = systemClock.monotonic()
  const { id } = await begin(cluster.admin, urls('c'), '?rate=2Mbit')
  const status = await untilDone(cluster.admin, id)
  const tookMs = systemClock.monotonic() - begunMs
  t.ok(tookMs > 2500, `took ${tookMs} ms`)
  const bytes = status.edges.reduce((sum, { progress }) => sum + (progress?.counts.bytes ?? 0), 0)
  t.equal(bytes, COUNT * BYTES)
  t.equal(status.edges.length, 2, 'each has a part')
})

t.test('cancelled under way, it goes no further', async (t) => {
  // A quarter of a megabit: half a minute.
  const { id } = await begin(cluster.admin, urls('d'), '?rate=250kbit')
  await until('something has come', async () => {
    const { edges } = await statusOf(cluster.admin, id)
    return edges.some(({ progress }) => (progress?.counts.fetched ?? 0) > 0)
  })
  await prefetch(t, cluster, 'cancel', id)
  await until('the edges have nothing more to do', async () => {
    const jobs = [...cluster.edges.values()].map((edge) =>
      metricOf(edge.admin, /^edgeward_edge_prefetch_jobs /),
    )
    return (await Promise.all(jobs)).every((count) => count === 0)
  })
  const status = await statusOf(cluster.admin, id)
  t.equal(status.state, 'cancelled')
  const fetched = ['gz-1', 'gz-2'].map((edge) => progressOf(status, edge)?.counts.fetched ?? 0)
  t.ok(fetched.reduce((a, b) => a + b) < COUNT, 'not all of it')
  t.match((await prefetch(t, cluster, 'list')).stdout, new RegExp(`${id} .*cancelled`))
})
