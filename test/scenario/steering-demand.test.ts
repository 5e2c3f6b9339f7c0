// What edges report beyond their state, and what becomes of it: hot assets on more edges, two processes with one id,
// properties above their cap. Real clusters.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { signTypeB } from '../../src/token/type-b.ts'
import { decisionSchema } from '../../src/wire/decision.ts'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { keepDownloading } from '../kit/downloads.ts'
import { metricOf } from '../kit/metric.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FRESH = { 'cache-control': 'max-age=600' }
const MEGABYTE = bytesOf(1, 1_000_000)

/** What a client would be answered; asking counts for nothing. */
async function decisionFor({ admin }: Cluster, target: string, client = '198.51.100.1') {
  const url = encodeURIComponent(`http://shows.example.com${target}`)
  const reply = await get(`${admin}/api/v1/explain?url=${url}&client=${client}`)
  return decisionSchema.parse(JSON.parse(reply.text))
}

/** Where new sessions of an asset would go, and why. */
async function sessionsOf(cluster: Cluster, asset: string) {
  const clients = Array.from({ length: 24 }, (_, i) => `198.51.100.${i}`)
  const decisions = await Promise.all(clients.map((client) => decisionFor(cluster, asset, client)))
  const edges = new Set(decisions.map(({ chosen }) => chosen?.edge ?? ''))
  const reasons = decisions.map(({ chosen, sites }) => {
    return sites.flatMap((site) => site.edges).find(({ edge }) => edge === chosen?.edge)?.reason
  })
  return { edges: [...edges], reasons: [...new Set(reasons)] }
}

t.test(
  'new sessions of an asset that is downloaded heavily go to more edges',
  { timeout: 180_000 },
  async (t) => {
    const origin = await startOrigin(t, { '/premiere/v3/1.m4s': { body: MEGABYTE, fields: FRESH } })
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { paris: { edges: ['a', 'b', 'c', 'd'] } },
      edgeEntry: { capacity: { bandwidth: '200Mbit' } },
    })
    const first = await until('it is on one edge', async () => {
      const { edges } = await sessionsOf(cluster, '/premiere/main.m3u8')
      return edges.length === 1 && edges[0]
    })

    // 136 Mbit/s of a rendition below it: an edge more for each 50, and the busy one is passed over.
    const stop = keepDownloading(t, `${cluster.edge(first).url}/~shows/premiere/v3/1.m4s`, 17)
    await until(
      'it is spread',
      async () => {
        const { edges, reasons } = await sessionsOf(cluster, '/premiere/main.m3u8')
        return edges.length >= 2 && reasons.includes('hot-asset')
      },
      20_000,
    )
    t.equal((await sessionsOf(cluster, '/other/main.m3u8')).edges.length, 1, 'another asset is not')

    await stop()
    await until(
      'it is on its edge alone',
      async () => {
        const { edges, reasons } = await sessionsOf(cluster, '/premiere/main.m3u8')
        return edges.length === 1 && reasons.join() === 'hash'
      },
      45_000,
    )
  },
)

t.test(
  'a second process with the id of an edge takes over, and the first is told',
  { timeout: 120_000 },
  async (t) => {
    const origin = await startOrigin(t, {})
    const cluster = await startCluster(t, { origin: origin.url, sites: { paris: { edges: ['gz-1'] } } })
    const [edge, twin] = [cluster.edge('gz-1'), await cluster.twinOf('gz-1')]
    const refusals = () =>
      edge.log().filter(({ err }) => /409.*another process reports as edge "gz-1"/.test(String(err)))
    await twin.start()
    await until('the first is refused', () => refusals().length > 0)
    await until('again and again', async () => {
      return (await metricOf(cluster.admin, 'edgeward_scheduler_reports_total{result="duplicate-id"}')) > 2
    })
    t.equal(refusals().length, 1, 'its log says so once')
    t.match(cluster.scheduler.stderr(), 'two processes report as one edge')
    t.equal((await cluster.states()).get('gz-1'), 'up')

    await twin.stop('SIGKILL')
    const toldBefore = edge.log().filter(({ msg }) => msg === 'reporting to the scheduler').length
    const isTaken = () =>
      edge.log().filter(({ msg }) => msg === 'reporting to the scheduler').length > toldBefore
    // When the other has been silent for five seconds.
    await until('the first is taken again', isTaken, 20_000)
  },
)

t.test('above its cap a property’s new clients go to another CDN', { timeout: 120_000 }, async (t) => {
  const origin = await startOrigin(t, {
    '/ep1/v3/1.m4s': { body: MEGABYTE, fields: FRESH },
    '/ep1/main.m3u8': {
      body: '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n',
      fields: FRESH,
    },
  })
  const tokens = { scheme: 'type-b', keys: ['key-of-the-cluster'] }
  const other = 'https://other.example.com/shows'
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { paris: { edges: ['gz-1'] } },
    property: { overflow: { above: '60Mbit', to: other }, access: { tokens } },
  })
  const { url } = cluster.edge('gz-1')
  const sign = (path: string) => signTypeB(tokens, path, { nowMs: systemClock.now() })
  const signed = sign('/ep1/main.m3u8')
  const ask = async (target: string) => (await get(`${cluster.steering}/~shows${target}`)).headers.location
  const outcome = async () => (await decisionFor(cluster, signed)).outcome
  t.equal(await ask(signed), `${url}/~shows${signed}`)

  const stop = keepDownloading(t, `${url}/~shows${sign('/ep1/v3/1.m4s')}`, 24)
  const metric = (name: string) =>
    metricOf(cluster.admin, `edgeward_scheduler_property_${name}{property="shows"}`)
  const isOver = async () =>
    (await metric('overflow_ratio')) === 1 && (await metric('bits_per_second')) > 50e6
  await until('all new clients go there', isOver, 20_000)
  const { text } = await get(`${cluster.admin}/api/v1/edges`)
  t.match(text, '"directories":[{"property":"shows","path":"/ep1/v3/",', 'what is reported has no token')
  const playlist = await get(`${url}/~shows${signed}`)
  const segment = /^1\.ts\?~g=\S+$/m.exec(playlist.text)?.[0] ?? ''
  t.equal(await ask(`/ep1/${segment}`), `${other}/ep1/1.ts`, 'a grant is for edges alone')
  t.match(await get(`${cluster.steering}/~shows/ep1/main.m3u8`), { status: 403 }, 'those without are refused')
  await until('the log says so', () => cluster.scheduler.stderr().includes('"outcome":"overflow"'))

  await stop()
  await until('they come again', async () => (await outcome()) === 'redirect', 20_000)
  await cluster.edge('gz-1').stop()
  await until('and go when no edge is left', async () => (await outcome()) === 'overflow')
  t.equal(await ask(signed), other + signed, 'with their own token')
})
