// What a scheduler's process holds with 5,000 edges at 1,000 sites that report every second, 100,000 coverage networks
// and the city database, while it steers 100,000 clients from all over: its peak, and what it settles at. And what as
// many sites as edges would cost, since each site keeps the order of all others.
// `node bench/scheduler-memory.ts`, three minutes, prints a table and writes results/scheduler-memory.json.
// Goal: under 400 MB.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/clock.ts'
import { formatIp, formatNetwork } from '../src/net/ip.ts'
import { cityClients } from './lib/city-clients.ts'
import { describeMachine } from './lib/machine.ts'
import { hostOf, madeCluster, madePath } from './lib/made-cluster.ts'
import { coverageNetworks, numbers } from './lib/made-places.ts'
import { moveToOwnNetwork } from './lib/own-network.ts'
import type { RunningProgram } from './lib/processes.ts'
import { ReportingEdges } from './lib/reporting-edges.ts'
import { startSchedulerProgram } from './lib/scheduler-program.ts'
import { median, round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'
import { runWrk } from './lib/wrk.ts'

const RESULT = fileURLToPath(new URL('results/scheduler-memory.json', import.meta.url))
const SERVER_CPU = '0'
const CLIENT_CPU = '1'
const EDGES = 5000
const SITES = [1000, EDGES]
const NETWORKS = 100_000
const PROPERTIES = 200
const EDGE_BANDWIDTH = 1e11
const CLIENTS = { 4: 80_000, 6: 20_000 } as const
/** Some 5,000 clients a second. */
const CONNECTIONS = 64
const PAUSE_MS = 12
const GOAL_BYTES = 400e6
/** Reports alone, then clients, then reports alone. */
const IDLE_SECONDS = 15
const STEERING_SECONDS = 20
const SAMPLE_MS = 250

const { values: options } = parseArgs({
  options: {
    'node-flags': { type: 'string', default: '' },
    out: { type: 'string', default: RESULT },
  },
})

await moveToOwnNetwork()
execFileSync('taskset', ['-acp', CLIENT_CPU, String(process.pid)], { stdio: 'ignore' })
const machine = describeMachine()
const root = mkdtempSync(path.join(os.tmpdir(), 'edgeward-memory-'))
process.on('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
const clientsFile = writeClients()
const results: Awaited<ReturnType<typeof measure>>[] = []
for (const sites of SITES) results.push(await measure(sites))

const result = {
  machine,
  edges: EDGES,
  networks: NETWORKS,
  properties: PROPERTIES,
  clients: CLIENTS,
  goalBytes: GOAL_BYTES,
  results,
}
writeFileSync(options.out, `${JSON.stringify(result, null, 2)}\n`)
const head = ['sites', 'start s', 'started MB', 'reports MB', 'steering MB', 'after MB', 'peak MB', '']
const rows = results.map(({ sites, startSeconds, residentBytes, peakBytes, met }) => {
  const sizes = [...Object.values(residentBytes), peakBytes].map(megabytes)
  return [String(sites), startSeconds.toFixed(1)].concat(sizes, met ? 'met' : 'NOT MET')
})
process.stdout.write(`${formatTable([head, ...rows])}\n`)

async function measure(sites: number) {
  const { cluster, edgeIds } = clusterOf(sites)
  const directory = path.join(root, String(sites))
  mkdirSync(directory)
  writeCoverage(directory, sites)
  const beforeMs = systemClock.monotonic()
  const { program, steering, control } = await startSchedulerProgram({
    directory,
    cpus: SERVER_CPU,
    cluster,
    accessLog: false,
    nodeFlags: options['node-flags'].split(' ').filter((flag) => flag !== ''),
  })
  const startSeconds = round((systemClock.monotonic() - beforeMs) / 1000, 1)
  const started = program.memory().residentBytes
  const startPeakBytes = program.memory().peakBytes
  const reporting = await ReportingEdges.start(control, edgeIds, EDGE_BANDWIDTH)
  const acceptedBefore = reporting.accepted
  const reports = await residentDuring(program, delay(IDLE_SECONDS * 1000))
  const run = runWrk({
    origin: steering,
    clientsFile,
    pauseMs: PAUSE_MS,
    connections: CONNECTIONS,
    seconds: STEERING_SECONDS,
    cpus: CLIENT_CPU,
  })
  const during = await residentDuring(program, run)
  const { requests } = await run
  const after = await residentDuring(program, delay(IDLE_SECONDS * 1000))
  const reportsTaken = reporting.accepted - acceptedBefore
  const { peakBytes } = program.memory()
  reporting.close()
  await program.stop()
  const seconds = IDLE_SECONDS * 2 + STEERING_SECONDS
  return {
    sites,
    startSeconds,
    startPeakBytes,
    reportsPerSecond: round(reportsTaken / seconds, 0),
    clientsSteered: requests,
    residentBytes: { started, reports, steering: during, after },
    peakBytes,
    met: peakBytes < GOAL_BYTES,
  }
}

function clusterOf(sites: number) {
  const made = madeCluster({
    sites,
    edgesPerSite: EDGES / sites,
    properties: PROPERTIES,
    edgeBandwidth: EDGE_BANDWIDTH,
  })
  const located = made.sites.map((site) => ({ ...site, coverage: { file: `${site.id}.txt` } }))
  return { cluster: { ...made, sites: located }, edgeIds: made.edges.map((edge) => String(edge['id'])) }
}

/** A file a site, as an ISP would give it. */
function writeCoverage(directory: string, sites: number): void {
  const networks = coverageNetworks(NETWORKS).map(formatNetwork)
  for (let site = 0; site < sites; site++) {
    const own = networks.filter((_, i) => i % sites === site)
    writeFileSync(path.join(directory, `site-${site}.txt`), `${own.join('\n')}\n`)
  }
}

function writeClients(): string {
  const file = path.join(root, 'clients.txt')
  const next = numbers(19)
  const clients = ([4, 6] as const).flatMap((family) => cityClients(family, CLIENTS[family], 'any'))
  const lines = clients
    .map((client) => ({
      at: next(),
      line: `${hostOf(next() % PROPERTIES)} ${madePath(next)} ${formatIp(client)}\n`,
    }))
    .toSorted((a, b) => a.at - b.at)
  writeFileSync(file, lines.map(({ line }) => line).join(''))
  return file
}

/** The middle of what was resident until `work` ended. */
async function residentDuring(program: RunningProgram, work: Promise<unknown>): Promise<number> {
  const state = { running: true }
  const ended = work.finally(() => (state.running = false))
  const samples: number[] = []
  while (state.running) {
    samples.push(program.memory().residentBytes)
    await Promise.race([ended, delay(SAMPLE_MS)])
  }
  await ended
  return median(samples)
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
