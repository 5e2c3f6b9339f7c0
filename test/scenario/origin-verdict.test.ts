// An origin that dies under traffic: the scheduler says so, its edges go elsewhere within two seconds, and it comes back
// by a growing share.
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { z } from 'zod'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { startPlainOrigin } from '../kit/plain-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'
import { metricOf } from '../kit/metric.ts'

const originsSchema = z.object({
  origins: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['up', 'down', 'returning']),
      by: z.enum(['probes', 'edges']).nullable(),
      share: z.number(),
    }),
  ),
})

async function originState(cluster: Cluster, id: string) {
  const { origins } = originsSchema.parse(JSON.parse((await get(`${cluster.admin}/api/v1/origins`)).text))
  return origins.find((origin) => origin.id === id)
}

const untilState = (cluster: Cluster, id: string, state: string) =>
  until(`${id} is ${state}`, async () => (await originState(cluster, id))?.state === state, 20_000)

/** Asks each edge for something new again and again, until the test ends; says what clients were told. */
function startTraffic(t: TestScope, cluster: Cluster) {
  const stop = new AbortController()
  const statuses: number[] = []
  let n = 0
  const runs = [...cluster.edges.values()].map(async (edge) => {
    while (!stop.signal.aborted) {
      const reply = await get(`${edge.url}/~shows/live/${n++}`)
      statuses.push(reply.status)
      await wait(20)
    }
  })
  t.teardown(async () => {
    stop.abort()
    await Promise.all(runs)
  })
  return statuses
}

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

const SITES = { north: { edges: ['n-1', 'n-2'] }, south: { edges: ['s-1'] } }

t.test('found by probes and by edges, left alone, and back by a ramp', async (t) => {
  const [first, second] = [await startPlainOrigin(t), await startPlainOrigin(t)]
  const cluster = await startCluster(t, {
    origin: first.url,
    originEntry: { health: { path: '/health', every: '500ms', timeout: '400ms' } },
    origins: [{ id: 'other', url: second.url }],
    sites: SITES,
    property: { origins: [{ id: 'studio' }, { id: 'other' }] },
  })
  const statuses = startTraffic(t, cluster)
  await until('the first is asked', () => first.count > 50)

  await first.stop()
  await untilState(cluster, 'studio', 'down')
  const status = await cluster.command(t, ['status'])
  t.match(status.stdout, /^studio +down: (?:edges|probes) /m)
  await wait(2000)
  const { counter, end } = await startCounter(first.port)
  const before = second.count
  await wait(1500)
  // Its probes alone: two a second, and one or two at the border.
  t.ok(counter.connections <= 5, `${counter.connections} connections`)
  t.ok(second.count > before + 50, 'the second serves')
  t.same(
    statuses.filter((code) => code !== 200),
    [],
    'no client was told of it',
  )

  await end()
  const asked = first.count
  await first.start()
  await untilState(cluster, 'studio', 'returning')
  t.ok(((await originState(cluster, 'studio'))?.share ?? 1) < 0.5, 'not all at once')
  await untilState(cluster, 'studio', 'up')
  await until('it is asked as before', () => first.count > asked + 200)
  const metric = 'edgeward_scheduler_origin_verdicts_total{origin="studio",state="down"}'
  t.equal(await metricOf(cluster.admin, metric), 1)
})

t.test('without probes, what edges see decides', async (t) => {
  const [first, second] = [await startPlainOrigin(t), await startPlainOrigin(t)]
  const cluster = await startCluster(t, {
    origin: first.url,
    origins: [{ id: 'other', url: second.url }],
    sites: SITES,
    property: { origins: [{ id: 'studio' }, { id: 'other' }] },
  })
  startTraffic(t, cluster)
  await until('the first is asked', () => first.count > 50)
  first.status = 503
  await untilState(cluster, 'studio', 'down')
  t.match(await originState(cluster, 'studio'), { by: 'edges' })
  const asked = first.count
  await wait(2000)
  t.ok(first.count - asked < 20, `${first.count - asked} requests in two seconds`)
  first.status = 200
  await untilState(cluster, 'studio', 'up')
  await until('it is asked as before', () => first.count > asked + 200)
})
