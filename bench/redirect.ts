// 302 answers of the scheduler beside nginx with the geoip2 module, from the same city database: 1,000 edges at 100
// sites that report every second, 200 properties, each request of another client. nginx picks an edge by country, the
// scheduler makes its whole decision. Each server on one core, wrk on the other, in turns.
// `node bench/redirect.ts [--quick]`, five minutes, prints tables and writes results/redirect.json. Goal: 0.7 of nginx.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { loadPlaces } from '../src/geo/places.ts'
import { formatIp } from '../src/net/ip.ts'
import type { IpAddress } from '../src/net/ip.ts'
import { VERSION } from '../src/version.ts'
import { CITY_FILES } from '../test/kit/city-database.ts'
import { cityClients } from './lib/city-clients.ts'
import { describeMachine } from './lib/machine.ts'
import { hostOf, madeCluster, madePath } from './lib/made-cluster.ts'
import { numbers } from './lib/made-places.ts'
import { moveToOwnNetwork } from './lib/own-network.ts'
import { ReportingEdges } from './lib/reporting-edges.ts'
import { startSchedulerProgram } from './lib/scheduler-program.ts'
import { median, round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'
import { takeTurns } from './lib/taking-turns.ts'
import type { Contender, TimedRun } from './lib/taking-turns.ts'
import { runWrk } from './lib/wrk.ts'
import type { WrkRun } from './lib/wrk.ts'
import { startNginx } from './redirect/nginx.ts'

const RESULT = fileURLToPath(new URL('results/redirect.json', import.meta.url))
const SERVER_CPU = '0'
const CLIENT_CPU = '1'
/** Edges of a size that the sessions of so many requests a second do not fill. */
const SIZE = { sites: 100, edgesPerSite: 10, properties: 200, edgeBandwidth: 1e11 }
const CLIENTS = 100_000
const CONNECTIONS = 64
const CHECKED = 500
const GOAL = 0.7
/** How long the reports alone are watched. */
const IDLE_MS = 5000

const QUESTIONS = [
  { name: 'IPv4, any address', family: 4, spread: 'any', accessLog: false },
  // Nearly as many records as are remembered of a file, in turn: most have lost their place when they are met again.
  { name: 'IPv4, each of another record', family: 4, spread: 'new-record', accessLog: false },
  { name: 'IPv6, any address', family: 6, spread: 'any', accessLog: false },
  { name: 'IPv4, any address, with our access log', family: 4, spread: 'any', accessLog: true },
] as const

interface Steerer extends Contender {
  readonly name: string
  readonly urls: { readonly 4: string; readonly 6: string }
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
const root = mkdtempSync(path.join(os.tmpdir(), 'edgeward-redirect-'))
process.on('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
// nginx's worker must reach its own directory.
chmodSync(root, 0o755)
const cluster = madeCluster(SIZE)
const edgeIds = cluster.edges.map((edge) => String(edge['id']))
const nginx = await startNginx({
  directory: directoryOf('nginx'),
  cpus: SERVER_CPU,
  edges: await edgesByCountry(),
})
const results: Awaited<ReturnType<typeof measure>>[] = []
let reportsShare = Number.NaN
try {
  for (const accessLog of [false, true]) {
    const asked = QUESTIONS.filter((one) => one.accessLog === accessLog && one.name.includes(options.only))
    if (asked.length > 0) results.push(...(await askAll(asked)))
  }
} finally {
  await nginx.program.stop()
}
const result = {
  machine,
  versions: { edgeward: VERSION, nginx: nginx.version },
  ...SIZE,
  edges: edgeIds.length,
  clients: CLIENTS,
  connections: CONNECTIONS,
  rounds: timing.rounds,
  secondsPerRun: timing.seconds,
  reportsShareOfCore: round(reportsShare, 3),
  goal: GOAL,
  results,
}
writeFileSync(options.out, `${JSON.stringify(result, null, 2)}\n`)
process.stdout.write(
  `1,000 reports a second take ${round(reportsShare * 100, 1)} % of the scheduler's core\n`,
)

function directoryOf(name: string): string {
  const directory = path.join(root, name)
  mkdirSync(directory)
  return directory
}

/** Every country of the database, each with an edge. */
async function edgesByCountry(): Promise<Map<string, string>> {
  const places = await loadPlaces({ city: [CITY_FILES[4], CITY_FILES[6]], country: [], asn: [] })
  const clients = [...cityClients(4, CLIENTS, 'new-record'), ...cityClients(6, 20_000, 'new-record')]
  const countries = new Set(clients.flatMap((client) => places.find(client)?.country ?? []))
  return new Map(
    [...countries].map((country, i) => [country, `${edgeIds[i % edgeIds.length]}.edges.example.com`]),
  )
}

async function askAll(asked: readonly (typeof QUESTIONS)[number][]) {
  const accessLog = asked[0]?.accessLog ?? false
  const { program, steering, control } = await startSchedulerProgram({
    directory: directoryOf(accessLog ? 'scheduler-with-log' : 'scheduler'),
    cpus: SERVER_CPU,
    cluster,
    accessLog,
    nodeFlags: options['node-flags'].split(' ').filter((flag) => flag !== ''),
  })
  const reporting = await ReportingEdges.start(control, edgeIds, SIZE.edgeBandwidth)
  try {
    const scheduler: Steerer = { name: 'edgeward', program, urls: { 4: steering, 6: steering } }
    if (!accessLog) reportsShare = await shareOfReports(scheduler)
    const answers = []
    for (const question of asked) answers.push(await measure(question, scheduler))
    return answers
  } finally {
    reporting.close()
    await program.stop()
  }
}

async function shareOfReports({ program }: Steerer): Promise<number> {
  await delay(IDLE_MS)
  const before = program.cpuSeconds()
  await delay(IDLE_MS)
  return (program.cpuSeconds() - before) / (IDLE_MS / 1000)
}

async function measure({ name, family, spread }: (typeof QUESTIONS)[number], scheduler: Steerer) {
  const clientsFile = path.join(root, `${name.replaceAll(/\W+/g, '-')}.txt`)
  const requests = requestsOf(cityClients(family, CLIENTS, spread))
  writeFileSync(clientsFile, requests.map((parts) => `${parts.join(' ')}\n`).join(''))
  const steerers: Steerer[] = [scheduler, { name: 'nginx', program: nginx.program, urls: nginx.urls }]
  const distinct = new Map<string, number>()
  for (const { name: server, urls } of steerers) distinct.set(server, await check(urls[family], requests))
  const turns = await takeTurns(steerers, timing, async ({ name: server, urls }, seconds) => {
    // Reports go on while nginx is measured, or every edge would be down by the next turn: the scheduler takes them
    // on the client's core, which has room.
    scheduler.program.moveTo(server === 'edgeward' ? SERVER_CPU : CLIENT_CPU)
    const before = clientSeconds(server, scheduler)
    const run = await runWrk({
      origin: urls[family],
      clientsFile,
      pauseMs: 0,
      connections: CONNECTIONS,
      seconds,
      cpus: CLIENT_CPU,
    })
    return { ...run, cpuSeconds: run.cpuSeconds + clientSeconds(server, scheduler) - before }
  })
  const measured = turns.map(({ contender, runs }) => summaryOf(contender.name, runs))
  const [own, rival] = measured
  const ratio = round((own?.median ?? Number.NaN) / (rival?.median ?? Number.NaN), 2)
  // Of processor time: less sensitive to what else the machine does.
  const workRatio = round((rival?.cpuMicroseconds ?? Number.NaN) / (own?.cpuMicroseconds ?? Number.NaN), 2)
  const edgesNamed = Object.fromEntries(distinct)
  const answered = { question: name, edgesNamed, measured, ratio, workRatio, met: ratio >= GOAL }
  process.stdout.write(`${tableOf(answered)}\n\n`)
  return answered
}

/** What this program, the edges in it and a scheduler beside it took of the client's core. */
function clientSeconds(measured: string, scheduler: Steerer): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6 + (measured === 'edgeward' ? 0 : scheduler.program.cpuSeconds())
}

/** Host, path and client of each. */
function requestsOf(clients: readonly IpAddress[]): (readonly [string, string, string])[] {
  const next = numbers(17)
  return clients.map((client) => [hostOf(next() % SIZE.properties), madePath(next), formatIp(client)])
}

/** How many edges the answers to some of the clients name; throws when one is no redirect. */
async function check(url: string, requests: readonly (readonly [string, string, string])[]): Promise<number> {
  const edges = new Set<string>()
  for (const [host, target, client] of requests.slice(0, CHECKED)) {
    const { statusCode, headers, body } = await request(url + target, {
      headers: { host, 'x-forwarded-for': client },
    })
    await body.dump()
    const edge = statusCode === 302 ? /^http:\/\/([^/]+)\//.exec(String(headers['location']))?.[1] : undefined
    if (edge === undefined) throw new Error(`${client} is answered ${statusCode}, not sent to an edge`)
    edges.add(edge)
  }
  return edges.size
}

function summaryOf(server: string, runs: readonly TimedRun<WrkRun>[]) {
  const rates = runs.map((run) => round(run.requestsPerSecond, 0))
  return {
    server,
    runs: rates,
    median: median(rates),
    latencyP50Ms: round(median(runs.map((run) => run.latencyP50Ms)), 2),
    latencyP99Ms: round(median(runs.map((run) => run.latencyP99Ms)), 2),
    cpuMicroseconds: round(median(runs.map((run) => (run.serverSeconds / run.requests) * 1e6)), 1),
    /** Of its core that the server had. */
    serverShare: round(median(runs.map((run) => run.serverSeconds / run.seconds)), 2),
    disturbance: round(Math.max(...runs.map((run) => run.disturbance)), 2),
  }
}

function tableOf({
  question,
  edgesNamed,
  measured,
  ratio,
  workRatio,
  met,
}: Awaited<ReturnType<typeof measure>>): string {
  const head = [
    question,
    'requests/s',
    'runs',
    'p50 ms',
    'p99 ms',
    'CPU us/request',
    'busy',
    'disturbed %',
    'edges',
  ]
  const rows = measured.map((one) => [
    one.server,
    one.median.toFixed(0),
    `${Math.min(...one.runs)} to ${Math.max(...one.runs)}`,
    one.latencyP50Ms.toFixed(2),
    one.latencyP99Ms.toFixed(2),
    one.cpuMicroseconds.toFixed(1),
    one.serverShare.toFixed(2),
    (one.disturbance * 100).toFixed(0),
    String(edgesNamed[one.server]),
  ])
  return `${formatTable([head, ...rows])}\n→ ${ratio} times nginx (${workRatio} by processor time); goal ${GOAL}: ${met ? 'met' : 'NOT MET'}`
}
