// Probes of edges: what is asked, what an answer means, how many make a verdict; and that nothing is left open.
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { Prober } from '../../scheduler/health/probe.ts'
import { probeTargetsOf } from '../../scheduler/health/probe-targets.ts'
import { ProbeTurns } from '../../scheduler/health/probe-turns.ts'
import { Probes } from '../../scheduler/health/probes.ts'
import { afterProbe, reachOfEdge, UNTRIED } from '../../scheduler/health/reachability.ts'
import type { AddressReach, ProbeResult } from '../../scheduler/health/reachability.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { EDGE_FIELD, HEALTH_PATH } from '../../src/wire/health.ts'
import { freePort } from '../kit/ports.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

function edgesOf(...entries: Record<string, unknown>[]) {
  const edges = entries.map((entry, i) => edgeEntry(`e-${i}`, 'here', entry))
  return buildTopology(schedulerSettings({ sites: [{ id: 'here' }], edges })).edges
}

function targetsOf(url: string, addresses: string[] = []) {
  return probeTargetsOf(edgesOf({ url, addresses })).map(
    ({ family, origin, host, basePath }) => `${family} ${origin} ${host} ${basePath}`,
  )
}

t.test('each address is a target, and where there are none the name in each family', async (t) => {
  t.same(targetsOf('https://e.example.com', ['192.0.2.1', '2001:db8::1']), [
    '4 https://192.0.2.1 e.example.com ',
    '6 https://[2001:db8::1] e.example.com ',
  ])
  t.same(targetsOf('http://e.example.com:8090/cdn/a/', ['2001:db8::1', '::ffff:192.0.2.1']), [
    '6 http://[2001:db8::1]:8090 e.example.com:8090 /cdn/a',
    '4 http://[::ffff:192.0.2.1]:8090 e.example.com:8090 /cdn/a',
  ])
  t.same(targetsOf('http://e.example.com:80'), [
    '4 http://e.example.com e.example.com ',
    '6 http://e.example.com e.example.com ',
  ])
  t.same(targetsOf('http://192.0.2.1:8090'), ['4 http://192.0.2.1:8090 192.0.2.1:8090 '])
  t.same(targetsOf('https://[2001:DB8::1]/'), ['6 https://[2001:db8::1] [2001:db8::1] '])
  t.same(
    probeTargetsOf(edgesOf({ probe: false, addresses: ['192.0.2.1'] })),
    [],
    'one that is not to be asked',
  )
})

function after(...results: ProbeResult[]): AddressReach {
  let address = UNTRIED
  for (const result of results) address = afterProbe(address, result)
  return address
}

t.test('two in a row make a verdict, either way', async (t) => {
  t.equal(after('ok').reach, 'reachable', 'the first answer is one')
  t.equal(after('refused').reach, 'unknown')
  t.equal(after('refused', 'timeout').reach, 'unreachable', 'whatever each failed by')
  t.equal(after('ok', 'refused').reach, 'reachable')
  t.equal(after('ok', 'refused', 'ok', 'refused').reach, 'reachable', 'not in a row')
  t.equal(after('ok', 'refused', 'tls').reach, 'unreachable')
  t.equal(after('refused', 'refused', 'ok').reach, 'unreachable')
  t.equal(after('refused', 'refused', 'ok', 'status', 'ok').reach, 'unreachable')
  t.equal(after('refused', 'refused', 'ok', 'ok').reach, 'reachable')
  t.equal(after('refused', 'ok').reach, 'reachable')
  t.equal(after('ok', 'refused', 'refused', 'local').reach, 'unknown', 'this machine can tell no longer')
  t.equal(after('ok', 'local', 'refused').reach, 'unknown')
})

function reachOf(four: AddressReach[], six: AddressReach[] = []): string {
  const reach = reachOfEdge({ 4: four, 6: six })
  return `${reach[4]} ${reach[6]}`
}

t.test('a family is reached by any of its addresses; a name by any family', async (t) => {
  const out = after('refused', 'refused')
  t.equal(reachOf([]), 'unknown unknown')
  t.equal(reachOf([out, after('ok')], [out, out]), 'reachable unreachable')
  t.equal(reachOf([out, after('refused')]), 'unreachable unknown')
  t.equal(reachOf([after('ok')], [after('name')]), 'reachable unknown', 'it has no IPv6')
  t.equal(reachOf([UNTRIED], [after('name')]), 'unknown unknown')
  t.equal(reachOf([after('local')], [after('name')]), 'unknown unknown')
  t.equal(reachOf([after('name')], [after('name')]), 'unreachable unreachable', 'nobody knows it')
})

async function listen(t: TestScope, server: Server, wanted?: number): Promise<number> {
  const port = wanted ?? (await freePort())
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return port
}

/** Probes one server once, as edge `e-0`. */
async function probeOf(t: TestScope, answer: RequestListener, timeoutMs = 1000) {
  const server = createServer(answer)
  const port = await listen(t, server)
  const url = `http://e-0.example.com:${port}`
  const [target] = probeTargetsOf(edgesOf({ url, addresses: ['127.0.0.1'] }))
  if (target === undefined) throw new Error('no target')
  const prober = new Prober(target, timeoutMs)
  t.teardown(async () => {
    await prober.close()
    server.closeAllConnections()
  })
  return prober
}

const OK: RequestListener = (_request, response) => response.setHeader(EDGE_FIELD, 'e-0').end('ok\n')

t.test('what an answer means', async (t) => {
  const asked: string[] = []
  const good = await probeOf(t, (request, response) => {
    asked.push(`${request.method} ${request.headers.host?.split(':')[0]} ${request.url}`)
    OK(request, response)
  })
  t.match(await good.probe(), { result: 'ok' })
  t.same(asked, [`GET e-0.example.com ${HEALTH_PATH}`])
  const draining = await probeOf(t, (_, response) => response.writeHead(503, { [EDGE_FIELD]: 'e-0' }).end())
  t.match(await draining.probe(), { result: 'ok' }, 'its reports say that it drains')
  const other = await probeOf(t, (_, response) => response.setHeader(EDGE_FIELD, 'e-1\u00e9').end())
  t.match(await other.probe(), { result: 'other-edge', detail: '"e-1\u00e9" answers there' })
  const longName = await probeOf(t, (_, response) => response.setHeader(EDGE_FIELD, 'x'.repeat(9000)).end())
  t.ok((await longName.probe()).detail.length < 100, 'of a long name, the log gets a part')
  const web = await probeOf(t, (_, response) => response.writeHead(404).end('no such page'))
  t.match(await web.probe(), { result: 'status', detail: /404/ })
  const odd = await probeOf(t, (_, response) => response.writeHead(500, { [EDGE_FIELD]: 'e-0' }).end())
  t.match(await odd.probe(), { result: 'status', detail: /500/ })
  const huge = await probeOf(t, (_, response) => response.setHeader(EDGE_FIELD, 'e-0').end('x'.repeat(5000)))
  t.match(await huge.probe(), { result: 'failed' })
  const fields = await probeOf(t, (_, response) => response.setHeader('x', 'y'.repeat(40_000)).end())
  t.match(await fields.probe(), { result: 'failed' })
  const cut = await probeOf(t, (request) => request.socket.destroy())
  t.match(await cut.probe(), { result: 'failed' })
})

t.test('no answer: refused, silent, trickling, no name', async (t) => {
  const proberOf = (url: string) => {
    const prober = new Prober({ ...targetOf(url), family: 4 }, 300)
    t.teardown(() => prober.close())
    return prober
  }
  t.match(await proberOf(`http://127.0.0.1:${await freePort()}`).probe(), { result: 'refused' })
  const silent = await probeOf(t, () => {}, 300)
  t.match(await silent.probe(), { result: 'timeout' })
  t.match(await silent.probe(), { result: 'timeout' }, 'and the next does not wait behind it')
  const trickling = await probeOf(
    t,
    (_, response) => {
      response.setHeader(EDGE_FIELD, 'e-0').write('o')
      const timer = setInterval(() => response.write('k'), 50)
      response.on('close', () => clearInterval(timer))
    },
    300,
  )
  t.match(await trickling.probe(), { result: 'timeout' })
  t.match((await proberOf('http://nobody.invalid').probe()).result, /^(?:name|local)$/)
})

function targetOf(url: string) {
  const [target] = probeTargetsOf(edgesOf({ url }))
  if (target === undefined) throw new Error(`no target: ${url}`)
  return target
}

t.test('a few probes share a connection, and the next makes a new one', async (t) => {
  const sockets = new Set<Socket>()
  const prober = await probeOf(t, (request, response) => {
    sockets.add(request.socket)
    OK(request, response)
  })
  const counts: number[] = []
  for (let i = 0; i < 11; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another, as they are
    t.match(await prober.probe(), { result: 'ok' })
    counts.push(sockets.size)
  }
  t.same(counts, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3])
})

interface ProbesRig {
  probes: Probes
  results: ProbeResult[]
  lines: unknown[]
}

function startProbes(
  t: TestScope,
  entries: Record<string, unknown>[],
  { heard, timeoutMs = 200 }: { heard?: string[]; timeoutMs?: number } = {},
): ProbesRig {
  const edges = edgesOf(...entries)
  const { log, lines } = recordingLog()
  const results: ProbeResult[] = []
  const ids = new Map((heard ?? edges.map(({ id }) => id)).map((id) => [id, true]))
  const probes = new Probes({
    edges,
    everyMs: 100,
    timeoutMs,
    clock: systemClock,
    log,
    background: backgroundRunner(log),
    heard: () => ids,
    onProbe: (_, result) => results.push(result),
  })
  t.teardown(() => probes.close())
  return { probes, results, lines }
}

t.test('an address that goes and comes back is said once each', async (t) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const entries = [{ url }, { url: 'http://127.0.0.1:1' }]
  const { probes, lines, results } = startProbes(t, entries, { heard: ['e-0'] })
  let changes = 0
  probes.onChange = () => (changes += 1)
  await until('it is out', () => probes.reach[0]?.[4] === 'unreachable')
  await until('and asked for on', () => results.length > 6)
  const server = createServer(OK)
  await listen(t, server, port)
  t.teardown(() => server.closeAllConnections())
  await until('it is back', () => probes.reach[0]?.[4] === 'reachable')
  t.equal(changes, 2)
  t.match(lines, [
    { level: 40, edge: 'e-0', family: 'ipv4', address: url, result: 'refused', msg: /cannot be reached/ },
    { level: 30, edge: 'e-0', family: 'ipv4', address: url, msg: /can be reached again/ },
  ])
  t.equal(probes.reach[1]?.[4], 'unknown', 'an edge that was never heard of is not looked for')
})

t.test('where more are due than may begin at once, each has its turn', async (t) => {
  const asked = new Set<string>()
  const server = createServer((request, response) => {
    asked.add(request.url ?? '')
    OK(request, response)
  })
  const port = await listen(t, server)
  t.teardown(() => server.closeAllConnections())
  const urls = Array.from({ length: 300 }, (_, i) => ({ url: `http://127.0.0.1:${port}/${i}` }))
  startProbes(t, urls)
  await until('all were asked, at 80 each tenth of a second', () => asked.size === 300, 5000)
})

/** How often each of the doubtful, and of the settled, was asked: from the least to the most. */
function askedIn(ticks: number, kinds: { doubtful: number; settled: number }): string {
  const doubtful = Array.from({ length: kinds.doubtful }, () => ({
    address: after('ok', 'refused'),
    asked: 0,
  }))
  const settled = Array.from({ length: kinds.settled }, () => ({ address: after('ok'), asked: 0 }))
  const turns = new ProbeTurns([...settled, ...doubtful])
  for (let tick = 0; tick < ticks; tick++) for (const target of turns.next(() => true)) target.asked += 1
  const range = (kind: typeof doubtful) => {
    const counts = kind.map(({ asked }) => asked)
    return `${Math.min(...counts)}-${Math.max(...counts)}`
  }
  return `${range(doubtful)} ${range(settled)}`
}

t.test('what is in doubt goes before the others, and neither kind starves the other', async (t) => {
  t.equal(askedIn(1, { doubtful: 30, settled: 1600 }), '1-1 0-1', 'a few go all at once')
  t.equal(askedIn(32, { doubtful: 30, settled: 1600 }), '32-32 1-1', 'and the others go on')
  t.equal(askedIn(40, { doubtful: 400, settled: 1600 }), '4-4 1-1', 'of many, half a tick')
  t.equal(askedIn(10, { doubtful: 400, settled: 40 }), '1-1 10-10', 'and as much of the others')
  t.equal(askedIn(5, { doubtful: 360, settled: 8 }), '1-1 5-5', 'and what they leave')
})

t.test('an address that fails is asked again before the round goes on', async (t) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === `/0${HEALTH_PATH}`) response.writeHead(404).end()
    else OK(request, response)
  })
  const port = await listen(t, server)
  t.teardown(() => server.closeAllConnections())
  const urls = Array.from({ length: 800 }, (_, i) => ({ url: `http://127.0.0.1:${port}/${i}` }))
  const { probes } = startProbes(t, urls, { timeoutMs: 5000 })
  await until('it is out', () => probes.reach[0]?.[4] === 'unreachable', 10_000)
  const first = asked.indexOf(`/0${HEALTH_PATH}`)
  const between = asked.indexOf(`/0${HEALTH_PATH}`, first + 1) - first
  t.ok(between < 400, `after ${between} others, not 800`)
})

t.test('closed, it leaves no connection and calls nobody, whatever was under way', async (t) => {
  const open = new Set<Socket>()
  // Takes connections and says nothing.
  const server = createTcpServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket)).resume()
  })
  const port = await listen(t, server)
  const entries = [{ url: `http://127.0.0.1:${port}` }, { url: `https://127.0.0.1:${port}` }]
  const { probes, results, lines } = startProbes(t, entries, { timeoutMs: 60_000 })
  await until('both are asked', () => open.size === 2)
  await probes.close()
  const before = results.length
  await until('no connection is left', () => open.size === 0)
  t.same([results.length, lines], [before, []])
})
