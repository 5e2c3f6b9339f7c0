// What a steering decision costs: 1,000 edges at 100 sites, 200 properties, clients from all over the city database,
// while the fleet is idle, busy, and so full or dead that the scheduler looks far and wide. Cold: nothing is remembered
// of the record that a client's address leads to. Warm: all of them were asked for before.
// `node bench/steer.ts`, half a minute, prints a table and writes results/steer.json.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DemandTracker } from '../scheduler/choose/demand.ts'
import type { SteerQuery } from '../scheduler/query.ts'
import type { SeenReport } from '../scheduler/registry/registry.ts'
import { buildSnapshot } from '../scheduler/snapshot.ts'
import type { Snapshot } from '../scheduler/snapshot.ts'
import { steer } from '../scheduler/steer-flow.ts'
import { buildTopology } from '../scheduler/topology.ts'
import { systemClock } from '../src/clock.ts'
import { loadPlaces } from '../src/geo/places.ts'
import type { Places } from '../src/geo/places.ts'
import { formatIp } from '../src/net/ip.ts'
import { CITY_FILES } from '../test/kit/city-database.ts'
import { queryFor, reportOf, schedulerSettings } from '../test/kit/scheduler.ts'
import { cityClients } from './lib/city-clients.ts'
import { describeMachine } from './lib/machine.ts'
import { hostOf, madeCluster, madePath } from './lib/made-cluster.ts'
import { numbers } from './lib/made-places.ts'
import { median, percentile, round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'

const RESULT = fileURLToPath(new URL('results/steer.json', import.meta.url))
const SIZE = { sites: 100, edgesPerSite: 10, properties: 200, edgeBandwidth: 1e10 }
/** Each of a record of its own; fewer than are remembered of a file. */
const CLIENTS = { 4: 24_000, 6: 6000 } as const
const WARM_DECISIONS = 100_000
const START_MS = 1_000_000
/** 20,000 decisions a second of the scheduler's time. */
const STEP_MS = 0.05
const GOALS_US = { cold: { p99: 100 }, warm: { p50: 20, p99: 60 } }

type Fleet = (edge: number, chance: () => number) => Partial<SeenReport['report']> | undefined

/** Of edges with 10 Gbit/s; undefined for a dead one. */
const FLEETS: Record<string, Fleet> = {
  idle: () => ({}),
  'busy, 0.3 to 0.8': (_edge, chance) => ({ sentBitRate: (0.3 + 0.5 * chance()) * SIZE.edgeBandwidth }),
  'full, 0.8 to 1.1': (_edge, chance) => ({ sentBitRate: (0.8 + 0.3 * chance()) * SIZE.edgeBandwidth }),
  'one site in ten alive': (edge) => (Math.floor(edge / SIZE.edgesPerSite) % 10 === 0 ? {} : undefined),
}

const topology = buildTopology(schedulerSettings(madeCluster(SIZE)))
const machine = describeMachine()
const clients = shuffled([
  ...cityClients(4, CLIENTS[4], 'new-record'),
  ...cityClients(6, CLIENTS[6], 'new-record'),
])
const peers = clients.map(formatIp)
// The code is compiled by a pass that does not count, over a database of its own.
for (const fleet of Object.values(FLEETS)) measure(fleet, await loadCities())
const results = []
for (const [name, fleet] of Object.entries(FLEETS)) {
  results.push({ fleet: name, ...measure(fleet, await loadCities()) })
}
const edges = SIZE.sites * SIZE.edgesPerSite
const result = { machine, ...SIZE, edges, clients: CLIENTS, goalsUs: GOALS_US, results }
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
const rows = results.flatMap(({ fleet, cold, warm }) =>
  Object.entries({ cold, warm }).map(
    ([
      cache,
      {
        sitesWeighed,
        microseconds: { p50, p99, p999 },
      },
    ]) => [fleet, cache, sitesWeighed, p50, p99, p999].map(String),
  ),
)
const head = ['fleet', 'addresses', 'sites weighed', 'p50 us', 'p99 us', 'p99.9 us']
process.stdout.write(`${formatTable([head, ...rows])}\n`)

async function loadCities(): Promise<Places> {
  return loadPlaces({ city: [CITY_FILES[4], CITY_FILES[6]], country: [], asn: [] })
}

function shuffled<T>(values: readonly T[]): T[] {
  const next = numbers(11)
  return values
    .map((value) => ({ value, at: next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value)
}

/** `from` was not asked yet. */
function measure(fleet: Fleet, from: Places) {
  const next = numbers(7)
  const snapshot = snapshotOf(fleet, from, () => next() / 2 ** 32)
  const demand = new DemandTracker({ edges: topology.edges.length, sites: topology.sites.length })
  const returning = Array.from({ length: WARM_DECISIONS }, () => peers[next() % peers.length] ?? '')
  return {
    cold: timesOf(
      peers.map((peer) => queryOf(peer, next)),
      snapshot,
      demand,
      START_MS,
    ),
    warm: timesOf(
      returning.map((peer) => queryOf(peer, next)),
      snapshot,
      demand,
      START_MS + peers.length * STEP_MS,
    ),
  }
}

function timesOf(queries: readonly SteerQuery[], snapshot: Snapshot, demand: DemandTracker, startMs: number) {
  const costs: number[] = []
  let weighed = 0
  queries.forEach((query, i) => {
    const nowMs = startMs + i * STEP_MS
    const before = systemClock.monotonic()
    const { choice, weighing, chosen } = steer(query, snapshot, nowMs, null, demand)
    const site = weighing?.chosen?.site
    if (choice === undefined || chosen === undefined || site === undefined) throw new Error('no edge')
    demand.note(choice, site, chosen.edge, nowMs)
    costs.push((systemClock.monotonic() - before) * 1000)
    weighed += weighing?.sites.length ?? 0
  })
  return {
    sitesWeighed: round(weighed / queries.length, 1),
    microseconds: {
      p50: round(median(costs), 1),
      p99: round(percentile(costs, 0.99), 1),
      p999: round(percentile(costs, 0.999), 1),
    },
  }
}

function snapshotOf(fleet: Fleet, from: Places, chance: () => number): Snapshot {
  const seen = new Map<string, SeenReport>()
  for (const { id, index } of topology.edges) {
    const said = fleet(index, chance)
    if (said === undefined) continue
    const report = reportOf(id, { uptimeMs: 1e9, ...said })
    // Reports that stay fresh while the decisions are made.
    seen.set(id, {
      report,
      receivedAtMs: START_MS + (peers.length + WARM_DECISIONS) * STEP_MS,
      heldAtMs: null,
    })
  }
  return buildSnapshot(topology, from, seen)
}

function queryOf(peer: string, next: () => number): SteerQuery {
  return queryFor({ host: hostOf(next() % SIZE.properties), path: madePath(next), peer })
}
