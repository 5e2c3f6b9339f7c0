// An origin that dies under traffic: the scheduler says so, its edges go elsewhere within two seconds, and it comes back
// by a growing share.
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { startCluster } from '../kit/cluster.ts'
import { startTraffic, untilToldDown, untilVerdict, verdictOn } from '../kit/origin-verdicts.ts'
import { startPlainOrigin } from '../kit/plain-origin.ts'
import { until } from '../kit/until.ts'
import { metricOf } from '../kit/metric.ts'

/** Takes the place of an origin that is gone: takes connections, says nothing, and counts them. */
async function startCounter(port: number) {
  const counter = { connections: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    counter.connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const end = async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return { counter, end }
}

t.test('found by probes and by edges, left alone, and back by a ramp', async (t) => {
  const [first, second] = [await startPlainOrigin(t), await startPlainOrigin(t)]
  const cluster = await startCluster(t, {
    origin: first.url,
    // A busy machine that answers late is no origin that is down.
    originEntry: { health: { path: '/health', every: '500ms', timeout: '2s' } },
    origins: [{ id: 'other', url: second.url }],
    sites: { north: { edges: ['n-1', 'n-2'] }, south: { edges: ['s-1'] } },
    property: { origins: [{ id: 'studio' }, { id: 'other' }] },
  })
  const statuses = startTraffic(t, cluster)
  await until('the first is asked', () => first.count > 50)

  await first.stop()
  await untilVerdict(cluster, 'studio', 'down')
  const status = await cluster.command(t, ['status'])
  t.match(status.stdout, /^studio +down: (?:edges|probes) /m)
  await untilToldDown(cluster, 'studio')
  const { counter, end } = await startCounter(first.port)
  const before = second.count
  const sinceMs = systemClock.monotonic()
  await until('the second serves', () => second.count > before + 80)
  // Its probes alone: two a second, and one or two at the border.
  const probes = (systemClock.monotonic() - sinceMs) / 500 + 2
  t.ok(counter.connections <= probes, `${counter.connections} connections`)
  t.same(
    statuses.filter((code) => code !== 200),
    [],
    'no client was told of it',
  )

  await end()
  const asked = first.count
  await first.start()
  await untilVerdict(cluster, 'studio', 'returning')
  t.ok(((await verdictOn(cluster, 'studio'))?.share ?? 1) < 0.5, 'not all at once')
  await untilVerdict(cluster, 'studio', 'up')
  await until('it is asked as before', () => first.count > asked + 50)
  const metric = 'edgeward_scheduler_origin_verdicts_total{origin="studio",state="down"}'
  t.equal(await metricOf(cluster.admin, metric), 1)
})
