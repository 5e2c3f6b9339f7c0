// A real scheduler chooses edges as its configuration says: sites and capabilities of a property, deep edges, weights,
// address families; and it heeds what it has decided itself before any report shows it.
import t from 'tap'
import { get } from '../kit/client.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import type { SchedulerProcess } from '../kit/scheduler-process.ts'

const TINY = { bandwidth: '40Mbit', connections: 1000 }
const CLUSTER = {
  scheduler: {
    steering: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0' },
    admin: { listen: '127.0.0.1:0' },
    trustedProxies: ['127.0.0.0/8'],
  },
  edges: [
    edgeEntry('gz-1', 'guangzhou', { capacity: TINY, addresses: ['192.0.2.1'] }),
    edgeEntry('gz-2', 'guangzhou', { capacity: TINY, addresses: ['192.0.2.2'] }),
    edgeEntry('gz-3', 'guangzhou', { capacity: TINY, weight: 0 }),
    edgeEntry('isp-1', 'guangzhou', { pinned: ['203.0.113.128/25'] }),
    edgeEntry('fra-1', 'frankfurt', { capabilities: ['uhd'] }),
  ],
  properties: [
    { id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] },
    { id: 'films', hosts: ['films.example.com'], origins: [{ id: 'studio' }], capabilities: ['uhd'] },
    { id: 'local', hosts: ['local.example.com'], origins: [{ id: 'studio' }], sites: ['frankfurt'] },
  ],
}

async function sentTo(scheduler: SchedulerProcess, client: string, host = 'shows', asset = 'a') {
  const { status, headers } = await get(`${scheduler.steering}/${asset}/main.m3u8`, {
    headers: { host: `${host}.example.com`, 'x-forwarded-for': client },
  })
  return headers.location?.split('/')[2]?.split('.')[0] ?? String(status)
}

t.test('what the configuration asks of an edge is kept', async (t) => {
  const scheduler = await startSchedulerProcess(t, CLUSTER)
  for (const { id } of CLUSTER.edges) {
    scheduler.keepReporting(String(id), { uptimeMs: 1e9 })
    await scheduler.untilState(String(id), 'up')
  }
  t.match(await sentTo(scheduler, '203.0.113.9'), /^gz-[12]$/)
  t.equal(await sentTo(scheduler, '203.0.113.200'), 'isp-1', 'pinned to the network of the client')
  t.equal(await sentTo(scheduler, '203.0.113.9', 'films'), 'fra-1', 'the only one with the capability')
  t.equal(await sentTo(scheduler, '203.0.113.9', 'local'), 'fra-1', 'the only site of the property')
  t.equal(await sentTo(scheduler, '2001:db8:c::9'), 'fra-1', 'near edges have no IPv6, but one of weight 0')
})

t.test('a crowd that comes between two reports is spread over the edges and then the sites', async (t) => {
  const scheduler = await startSchedulerProcess(t, CLUSTER)
  for (const id of ['gz-1', 'gz-2', 'fra-1']) {
    scheduler.keepReporting(id, { uptimeMs: 1e9 })
    await scheduler.untilState(id, 'up')
  }
  // At once: what was decided fades in a second and a half.
  const clients = Array.from({ length: 60 }, (_, i) => `203.0.113.${i}`)
  const edges = await Promise.all(clients.map((client) => sentTo(scheduler, client)))
  // Eight sessions fill an edge of the near site; all reports say that they are idle.
  t.same([...new Set(edges)].toSorted(), ['fra-1', 'gz-1', 'gz-2'])
})
