// Queries a second of the scheduler's name server beside PowerDNS with its GeoIP backend and gdnsd with its geoip
// plugin: the same 200 names and one city database, answers by the client, among 1,000 edges at 100 sites that report
// every second. Each server on one core, dnsperf on the other, in turns; and what a second process adds.
// `node bench/dns.ts [--quick]`, ten minutes, prints tables and writes results/dns.json. Goals: 1.0 of PowerDNS, 0.4 of
// gdnsd, two processes 1.7 of one.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { formatIp } from '../src/net/ip.ts'
import { VERSION } from '../src/version.ts'
import { freePort } from '../test/kit/ports.ts'
import { addressesFor } from './dns/ask.ts'
import { startEdgeward } from './dns/edgeward.ts'
import { startGdnsd } from './dns/gdnsd.ts'
import { writeNestedCities } from './dns/nested-cities.ts'
import { startPowerDns } from './dns/powerdns.ts'
import { clientNetworks, writeQueries } from './dns/queries.ts'
import type { Queries } from './dns/queries.ts'
import { measureSecondProcess } from './dns/second-process.ts'
import { NAMES, SIZE } from './dns/service.ts'
import { runDnsperf } from './lib/dnsperf.ts'
import type { DnsperfRun } from './lib/dnsperf.ts'
import { describeMachine } from './lib/machine.ts'
import { moveToOwnNetwork } from './lib/own-network.ts'
import type { RunningProgram } from './lib/processes.ts'
import { median, round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'
import { takeTurns } from './lib/taking-turns.ts'
import type { Contender, TimedRun } from './lib/taking-turns.ts'

const RESULT = fileURLToPath(new URL('results/dns.json', import.meta.url))
const SERVER_CPU = '0'
const CLIENT_CPU = '1'
const NETWORKS = 100_000
const CHECKED = 500
const SOCKETS = 8
const OUTSTANDING = 100
const GOALS = { powerdns: 1, gdnsd: 0.4 } as const

const QUESTIONS = [
  { name: 'A, one resolver', type: 'A', networks: 0 },
  { name: 'A, a client network each', type: 'A', networks: NETWORKS },
  { name: 'AAAA, one resolver', type: 'AAAA', networks: 0 },
  { name: 'AAAA, a client network each', type: 'AAAA', networks: NETWORKS },
] as const

interface Server extends Contender {
  readonly name: 'edgeward' | keyof typeof GOALS
  readonly port: number
}

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    'node-flags': { type: 'string', default: '' },
    out: { type: 'string', default: RESULT },
  },
})
const timing = {
  ...(options.quick ? { rounds: 3, seconds: 2 } : { rounds: 5, seconds: 4 }),
  serverCpu: SERVER_CPU,
  clientCpu: CLIENT_CPU,
}

await moveToOwnNetwork()
execFileSync('taskset', ['-acp', CLIENT_CPU, String(process.pid)], { stdio: 'ignore' })
const machine = describeMachine()
const root = mkdtempSync(path.join(os.tmpdir(), 'edgeward-dns-'))
process.on('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
const cityFile = path.join(root, 'city.mmdb')
const cities = await writeNestedCities(cityFile)
const networksOf = { A: clientNetworks(4, NETWORKS), AAAA: clientNetworks(6, NETWORKS) }
// Their resolvers are there too: this network is nobody else's.
const resolvers = { A: ownAddress('A'), AAAA: ownAddress('AAAA') }
const stops: (() => Promise<void>)[] = []
try {
  writeFileSync(options.out, `${JSON.stringify(await measureAll(), null, 2)}\n`)
} finally {
  await stopAll()
}

async function measureAll() {
  const ports = { edgeward: await freePort(), powerdns: await freePort(), gdnsd: await freePort() }
  const serviceOf = (name: Server['name']) => ({
    cpus: SERVER_CPU,
    cityFile,
    directory: directoryOf(name),
    port: ports[name],
  })
  const powerdns = await startPowerDns(serviceOf('powerdns'), cities.countries)
  stops.push(() => powerdns.program.stop())
  const gdnsd = await startGdnsd(serviceOf('gdnsd'))
  stops.push(() => gdnsd.program.stop())
  const nodeFlags = options['node-flags'].split(' ').filter((flag) => flag !== '')
  const edgeward = await startEdgeward(serviceOf('edgeward'), { reusePort: false, nodeFlags })
  stops.push(() => edgeward.stop())
  const servers: Server[] = [
    { name: 'edgeward', program: edgeward.program, port: ports.edgeward },
    { name: 'powerdns', program: powerdns.program, port: ports.powerdns },
    { name: 'gdnsd', program: gdnsd.program, port: ports.gdnsd },
  ]
  const results = []
  const asked = QUESTIONS.filter(({ name }) => name.startsWith(options.only))
  for (const question of asked) {
    results.push(await measure(question, servers))
  }
  await stopAll()
  const secondProcess = []
  for (const question of asked.filter(({ type }) => type === 'A')) {
    secondProcess.push(await measureSecond(question))
  }
  return {
    machine,
    versions: { edgeward: VERSION, powerdns: powerdns.version, gdnsd: gdnsd.version },
    ...SIZE,
    databaseNetworks: cities.networks,
    clientNetworks: NETWORKS,
    sockets: SOCKETS,
    outstanding: OUTSTANDING,
    rounds: timing.rounds,
    secondsPerRun: timing.seconds,
    reportsShareOfCore: round(edgeward.reportsShare, 3),
    goals: GOALS,
    results,
    secondProcess,
  }
}

async function stopAll(): Promise<void> {
  await Promise.all(stops.splice(0).map((stop) => stop()))
}

async function measureSecond({ name, type, networks }: (typeof QUESTIONS)[number]) {
  const file = path.join(root, 'second-process.queries')
  const { packets } = writeQueries(file, NAMES, type, networks === 0 ? [] : networksOf[type])
  const service = { cpus: SERVER_CPU, cityFile, directory: directoryOf(`second-process-${networks}`) }
  return measureSecondProcess({
    question: name,
    service: { ...service, port: await freePort() },
    serverCpu: SERVER_CPU,
    otherCpu: CLIENT_CPU,
    from: resolvers[type],
    packets,
  })
}

async function measure({ name, type, networks }: (typeof QUESTIONS)[number], servers: readonly Server[]) {
  const file = path.join(root, `${name.replaceAll(/\W+/g, '-')}.queries`)
  const queries = writeQueries(file, NAMES, type, networks === 0 ? [] : networksOf[type])
  const target = { server: type === 'A' ? '127.0.0.1' : '::1', from: resolvers[type] }
  const answers: Record<string, number> = {}
  for (const { name: of, port } of servers) answers[of] = await check({ ...target, port }, queries)
  const scheduler = servers[0]?.program
  const turns = await takeTurns(servers, timing, async ({ name: of, port }, seconds) => {
    // Reports go on while others are measured, or every edge would be down by the next turn: the scheduler takes them
    // on the client's core.
    scheduler?.moveTo(of === 'edgeward' ? SERVER_CPU : CLIENT_CPU)
    const before = clientSeconds(of, scheduler)
    const run = await runDnsperf({
      ...target,
      port,
      file,
      sockets: SOCKETS,
      outstanding: OUTSTANDING,
      seconds,
      cpus: CLIENT_CPU,
    })
    return { ...run, cpuSeconds: run.cpuSeconds + clientSeconds(of, scheduler) - before }
  })
  const measured = turns.map(({ contender, runs }) => summaryOf(contender.name, runs))
  const answered = { question: name, answers, measured, ratios: ratiosOf(measured) }
  process.stdout.write(`${tableOf(answered)}\n\n`)
  return answered
}

/** What this program, the edges in it and a scheduler beside it took of the client's core. */
function clientSeconds(measured: string, scheduler: RunningProgram | undefined): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6 + (measured === 'edgeward' ? 0 : (scheduler?.cpuSeconds() ?? 0))
}

/** How many different first addresses some of the queries are answered with; throws when one is not answered. */
async function check(target: Parameters<typeof addressesFor>[0], { packets }: Queries): Promise<number> {
  const addresses = await addressesFor(target, packets.slice(0, CHECKED))
  return new Set(addresses.map((each) => each.toSorted()[0])).size
}

function ratiosOf(measured: readonly ReturnType<typeof summaryOf>[]) {
  const [own, ...others] = measured
  return others.map(({ server, median: theirs, cpuMicroseconds }) => {
    const goal = server === 'edgeward' ? Number.NaN : GOALS[server]
    const ratio = round((own?.median ?? Number.NaN) / theirs, 2)
    // Of processor time: less sensitive to what else the machine does, and to whether the client keeps up.
    const workRatio = round(cpuMicroseconds / (own?.cpuMicroseconds ?? Number.NaN), 2)
    // A server that leaves its core idle could do more than the client asks.
    return { to: server, ratio, workRatio, goal, met: Math.min(ratio, workRatio) >= goal }
  })
}

function summaryOf(server: Server['name'], runs: readonly TimedRun<DnsperfRun>[]) {
  const rates = runs.map((run) => round(run.queriesPerSecond, 0))
  return {
    server,
    runs: rates,
    median: median(rates),
    latencyMs: round(median(runs.map((run) => run.latencyMs)), 2),
    cpuMicroseconds: round(median(runs.map((run) => (run.serverSeconds / run.queries) * 1e6)), 2),
    /** Of its core that the server had. */
    serverShare: round(median(runs.map((run) => run.serverSeconds / run.seconds)), 2),
    disturbance: round(Math.max(...runs.map((run) => run.disturbance)), 2),
  }
}

function tableOf({ question, answers, measured, ratios }: Awaited<ReturnType<typeof measure>>): string {
  const head = [question, 'queries/s', 'runs', 'ms', 'CPU us/query', 'busy', 'disturbed %', 'answers']
  const rows = measured.map((one) => [
    one.server,
    one.median.toFixed(0),
    `${Math.min(...one.runs)} to ${Math.max(...one.runs)}`,
    one.latencyMs.toFixed(2),
    one.cpuMicroseconds.toFixed(2),
    one.serverShare.toFixed(2),
    (one.disturbance * 100).toFixed(0),
    String(answers[one.server]),
  ])
  const lines = ratios.map(
    ({ to, ratio, workRatio, goal, met }) =>
      `→ ${ratio} times ${to} (${workRatio} by processor time); goal ${goal}: ${met ? 'met' : 'NOT MET'}`,
  )
  return [formatTable([head, ...rows]), ...lines].join('\n')
}

/** An address inside the first of the client networks, made this network's own. */
function ownAddress(type: 'A' | 'AAAA'): string {
  const [network] = networksOf[type]
  if (network === undefined) throw new Error('no client networks')
  const address = formatIp({ ...network, d: network.d + 53 })
  const noWait = type === 'A' ? [] : ['nodad']
  execFileSync('ip', ['addr', 'add', `${address}/${type === 'A' ? 32 : 128}`, 'dev', 'lo', ...noWait])
  return address
}

function directoryOf(name: string): string {
  const directory = path.join(root, name)
  mkdirSync(directory)
  return directory
}
