// Edges that report and that players cannot reach: by their public addresses, in one family, by their certificate. The
// scheduler sees it by its probes, and sends clients where they are served.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { systemClock } from '../../src/clock.ts'
import { EDGE_FIELD, HEALTH_PATH } from '../../src/wire/health.ts'
import { makeCertificate } from '../kit/certificates.ts'
import type { CertificateFiles } from '../kit/certificates.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { prepareForwarder } from '../kit/forwarder.ts'
import { metricOf } from '../kit/metric.ts'
import { freePort } from '../kit/ports.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

t.jobs = 2

/** So much that clients who were just sent there do not count. */
const ROOMY = { capacity: { bandwidth: '1000Gbit', connections: 1_000_000 } }
const V4 = '192.0.2.7'
const V6 = '2001:db8::7'

const ASSETS = 40

/** The edge that clients of an asset are sent to; or the status. */
async function edgeFor(
  { steering }: Cluster,
  urls: Record<string, string>,
  asset: number,
  client = V4,
): Promise<string> {
  const headers = { host: 'shows.example.com', 'x-forwarded-for': client }
  const { status, headers: fields } = await get(`${steering}/${asset}/main.m3u8`, { headers })
  const edge = Object.keys(urls).find((id) => fields.location?.startsWith(`${urls[id]}/`) === true)
  return edge ?? String(status)
}

/** The edges that clients of many assets are sent to; or the statuses. */
async function sentTo(cluster: Cluster, urls: Record<string, string>, client = V4): Promise<string> {
  const edges = new Set<string>()
  for (let asset = 0; asset < ASSETS; asset++) edges.add(await edgeFor(cluster, urls, asset, client))
  return [...edges].toSorted().join(' ')
}

/** Whether all of them are sent to this one; asks no longer than until another is seen. */
async function isSentTo(
  only: string,
  cluster: Cluster,
  urls: Record<string, string>,
  client = V4,
): Promise<boolean> {
  for (let asset = 0; asset < ASSETS; asset++) {
    if ((await edgeFor(cluster, urls, asset, client)) !== only) return false
  }
  return true
}

/** Of an edge.yaml. */
const tlsOf = (files: CertificateFiles) => ({ tls: { certificates: [files] } })

const edgesSchema = z.object({
  edges: z.array(z.object({ id: z.string(), reach: z.object({ ipv4: z.string(), ipv6: z.string() }) })),
})

/** What probes found, by edge and family. */
async function reachOf({ admin }: Cluster) {
  const { edges } = edgesSchema.parse(JSON.parse((await get(`${admin}/api/v1/edges`)).text))
  return Object.fromEntries(edges.map(({ id, reach }) => [id, reach]))
}

/** Lines of the scheduler's log about the edge, without those about requests. */
function told({ scheduler }: Cluster, edge: string): string[] {
  return scheduler
    .stderr()
    .split('\n')
    .filter((line) => line.includes(`"edge":"${edge}"`) && !line.includes('"msg":"steered"'))
}

t.test(
  'a public address that no longer answers gets no new clients until it does',
  { buffered: true, timeout: 60_000 },
  async (t) => {
    const origin = await startOrigin(t, {})
    const way = await prepareForwarder(t)
    const [port, other] = [await freePort(), await freePort()]
    way.target = port
    await way.open()
    const urls = { 'n-1': `http://${way.authority}`, 'n-2': `http://127.0.0.1:${other}` }
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { north: { edges: ['n-1', 'n-2'] } },
      listens: { 'n-1': `127.0.0.1:${port}`, 'n-2': `127.0.0.1:${other}` },
      urls,
      edgeEntry: ROOMY,
    })
    const avoided = () => isSentTo('n-2', cluster, urls)
    t.equal(await sentTo(cluster, urls), 'n-1 n-2')
    for (const [name, close, withinMs] of [
      ['closed', () => way.close(), 5000],
      // Probes keep a connection for five, two seconds apart.
      ['closed to new connections', () => way.refuse(), 15_000],
    ] as const) {
      await delay(3000)
      close()
      const closedMs = systemClock.monotonic()
      await until(`${name}: it is avoided`, avoided, withinMs)
      t.comment(`${name}: avoided after ${Math.round(systemClock.monotonic() - closedMs)} ms`)
      t.equal((await cluster.states()).get('n-1'), 'up', 'its reports are well')
      way.close()
      await way.open()
      await until('it gets clients again', async () => !(await avoided()), 5000)
    }
    t.match(told(cluster, 'n-1'), [
      /"level":40.*"result":"refused".*cannot be reached/,
      /"level":30.*can be reached again/,
      /"level":40.*"result":"refused".*cannot be reached/,
      /"level":30.*can be reached again/,
    ])
    t.same(told(cluster, 'n-2'), [])

    const paths = cluster
      .edge('n-2')
      .log()
      .filter(({ msg }) => msg === 'request')
    t.same(paths, [], 'no probe is in the log of an edge')
  },
)

t.test(
  'an edge that listens on one family is for clients of that family',
  { buffered: true, timeout: 60_000 },
  async (t) => {
    const origin = await startOrigin(t, {})
    const ports = { 'n-1': await freePort(), 'n-2': await freePort() }
    const way = await prepareForwarder(t, { host: '::1', port: ports['n-1'] })
    const always = await prepareForwarder(t, { host: '::1', port: ports['n-2'] })
    way.target = ports['n-1']
    always.target = ports['n-2']
    await always.open()
    const urls = {
      'n-1': `http://n-1.example.com:${ports['n-1']}`,
      'n-2': `http://n-2.example.com:${ports['n-2']}`,
    }
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { north: { edges: ['n-1', 'n-2'] } },
      listens: { 'n-1': `127.0.0.1:${ports['n-1']}`, 'n-2': `127.0.0.1:${ports['n-2']}` },
      urls,
      edgeEntry: { ...ROOMY, addresses: ['127.0.0.1', '::1'] },
    })
    await until('no IPv6 there', () => isSentTo('n-2', cluster, urls, V6), 5000)
    t.equal(await sentTo(cluster, urls, V4), 'n-1 n-2')
    t.match(told(cluster, 'n-1'), [/"family":"ipv6","address":"http:\/\/\[::1\]:\d+","result":"refused"/])
    await way.open()
    await until('until there is', async () => (await sentTo(cluster, urls, V6)) === 'n-1 n-2', 5000)
    always.close()
    way.close()
    await until('neither has IPv6', async () => {
      const reached = await reachOf(cluster)
      return reached['n-1']?.ipv6 === 'unreachable' && reached['n-2']?.ipv6 === 'unreachable'
    })
    t.equal(await sentTo(cluster, urls, V6), 'n-1 n-2', 'none can be reached: all are as good, or as bad')
    t.equal(await sentTo(cluster, urls, V4), 'n-1 n-2')
  },
)

t.test('the answer of another edge is none', { buffered: true, timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(t, {})
  const ports = [await freePort(), await freePort(), await freePort()]
  const at = (i: number) => `127.0.0.1:${ports[i]}`
  const urls = { 'n-1': `http://${at(1)}`, 'n-2': `http://${at(0)}`, 'n-3': `http://${at(2)}` }
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { north: { edges: ['n-1', 'n-2', 'n-3'] } },
    listens: { 'n-1': at(0), 'n-2': at(1), 'n-3': at(2) },
    urls,
    edgeEntry: ROOMY,
  })
  await until('the swapped ones are avoided', () => isSentTo('n-3', cluster, urls), 5000)
  const others = 'edgeward_scheduler_probes_total{family="ipv4",result="other-edge"}'
  await until('its answers are counted', async () => (await metricOf(cluster.admin, others)) >= 4)
  t.same(told(cluster, 'n-3'), [])
})

t.test(
  'a certificate must be for the name that players are sent to',
  { buffered: true, timeout: 60_000 },
  async (t) => {
    const origin = await startOrigin(t, {})
    const directory = await tempDirectory(t)
    const [good, wrong, unknown] = [
      await makeCertificate(directory, 'good', { names: ['good.example.com'] }),
      await makeCertificate(directory, 'wrong', { names: ['elsewhere.example.com'] }),
      await makeCertificate(directory, 'unknown', { names: ['unknown.example.com'] }),
    ]
    const trusted = path.join(directory, 'trusted.pem')
    await writeFile(
      trusted,
      (await readFile(good.certificate, 'utf8')) + (await readFile(wrong.certificate, 'utf8')),
    )
    const ports = { good: await freePort(), wrong: await freePort(), unknown: await freePort() }
    const urls = {
      good: `https://good.example.com:${ports.good}`,
      wrong: `https://wrong.example.com:${ports.wrong}`,
      unknown: `https://unknown.example.com:${ports.unknown}`,
    }
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { north: { edges: ['good', 'wrong', 'unknown'] } },
      listens: Object.fromEntries(Object.entries(ports).map(([id, port]) => [id, `127.0.0.1:${port}`])),
      urls,
      edgeEntry: { ...ROOMY, addresses: ['127.0.0.1'] },
      edgeConfigs: { good: tlsOf(good), wrong: tlsOf(wrong), unknown: tlsOf(unknown) },
      schedulerEnv: { NODE_EXTRA_CA_CERTS: trusted },
    })
    await until('the others are avoided', () => isSentTo('good', cluster, urls), 5000)
    t.same(told(cluster, 'good'), [])
    t.match(told(cluster, 'wrong'), [/"result":"tls".*elsewhere\.example\.com/])
    t.match(told(cluster, 'unknown'), [/"result":"tls".*self-signed/])
  },
)

t.test(
  'an edge says there whether it serves, and nothing when it is gone',
  { buffered: true, timeout: 60_000 },
  async (t) => {
    const origin = await startOrigin(t, {})
    const cluster = await startCluster(t, { origin: origin.url, sites: { north: { edges: ['n-1', 'n-2'] } } })
    const { url, process } = cluster.edge('n-1')
    const ask = (method: string, target = HEALTH_PATH) => get(url + target, { method })
    const serving = await ask('GET')
    t.match(serving, { status: 200, text: 'ok\n', headers: { 'cache-control': 'no-store' } })
    t.equal(serving.headers[EDGE_FIELD.toLowerCase()], 'n-1')
    t.match(await ask('HEAD'), { status: 200, text: '', headers: { 'content-length': '3' } })
    t.match(await ask('POST'), { status: 405, headers: { allow: 'GET, HEAD' } })
    t.match(await ask('GET', `${HEALTH_PATH}/x`), { status: 404 })

    process.signal('SIGTERM')
    const draining = await until('it drains', async () => {
      const reply = await ask('GET')
      return reply.status !== 200 && reply
    })
    t.match(draining, { status: 503, text: /^draining/ })
    t.equal(draining.headers[EDGE_FIELD.toLowerCase()], 'n-1')
    t.match(await process.exited, { code: 0 })
    await delay(3000)
    t.equal(await sentTo(cluster, { 'n-2': cluster.edge('n-2').url }), 'n-2')
  },
)
