// What a steering decision costs: 1,000 edges at 100 sites, 200 properties, clients from all over a city database that
// has not seen them, while the fleet is idle, busy, and so full or dead that the scheduler looks far and wide.
// `node bench/steer.ts`, half a minute, prints a table and writes results/steer.json. Goals: 20 us median, 60 us p99.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
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
import { edgeEntry, queryFor, reportOf, schedulerSettings } from '../test/kit/scheduler.ts'
import { describeMachine } from './lib/machine.ts'
import { numbers, writeCities } from './lib/made-places.ts'
import { median, percentile, round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'

const RESULT = fileURLToPath(new URL('results/steer.json', import.meta.url))
const SITES = 100
const EDGES_PER_SITE = 10
const PROPERTIES = 200
const WARM_UP = 30_000
const DECISIONS = 100_000
const START_MS = 1_000_000
/** 20,000 decisions a second of the scheduler's time. */
const STEP_MS = 0.05

type Fleet = (edge: number, chance: () => number) => Partial<SeenReport['report']> | undefined

/** Of edges with 10 Gbit/s; undefined for a dead one. */
const FLEETS: Record<string, Fleet> = {
  idle: () => ({}),
  'busy, 0.3 to 0.8': (_edge, chance) => ({ sentBitRate: (0.3 + 0.5 * chance()) * 1e10 }),
  'full, 0.8 to 1.1': (_edge, chance) => ({ sentBitRate: (0.8 + 0.3 * chance()) * 1e10 }),
  'one site in ten alive': (edge) => (Math.floor(edge / EDGES_PER_SITE) % 10 === 0 ? {} : undefined),
}

const topology = buildTopology(schedulerSettings(clusterText()))
const machine = describeMachine()
const directory = mkdtempSync(path.join(tmpdir(), 'edgeward-bench-'))
const city = path.join(directory, 'city.mmdb')
await writeCities(city, 'nested')
const places = await loadPlaces({ city: [city], country: [], asn: [] })
const results = Object.entries(FLEETS).map(([name, fleet]) => measure(name, fleet, places))
rmSync(directory, { recursive: true })

const result = { machine, sites: SITES, edges: SITES * EDGES_PER_SITE, properties: PROPERTIES, results }
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
const rows = results.map(({ fleet, sitesWeighed, microseconds: { p50, p99, p999 } }) =>
  [fleet, sitesWeighed, p50, p99, p999].map(String),
)
process.stdout.write(
  `${formatTable([['fleet', 'sites weighed', 'p50 us', 'p99 us', 'p99.9 us'], ...rows])}\n`,
)

function clusterText(): Record<string, unknown> {
  const next = numbers(1)
  const ids = Array.from({ length: SITES }, (_, i) => `site-${i}`)
  return {
    sites: ids.map((id) => ({
      id,
      location: { lat: (next() % 12_000) / 100 - 60, lon: (next() % 36_000) / 100 - 180 },
    })),
    edges: ids.flatMap((id) =>
      Array.from({ length: EDGES_PER_SITE }, (_, i) =>
        edgeEntry(`${id}-${i}`, id, {
          capacity: { bandwidth: '10Gbit', connections: 100_000 },
          addresses: ['192.0.2.1', '2001:db8::1'],
          capabilities: i < 8 ? ['tls', 'uhd'] : ['tls'],
        }),
      ),
    ),
    properties: Array.from({ length: PROPERTIES }, (_, i) => ({
      id: `property-${i}`,
      hosts: [`p${i}.example.com`],
      origins: [{ id: 'studio' }],
      // Some ask for more than the others.
      ...(i % 4 === 0 && { capabilities: ['uhd'] }),
      ...(i % 10 === 1 && { sites: ids.filter((id) => id.endsWith('0') || id.endsWith('5')) }),
    })),
  }
}

function measure(name: string, fleet: Fleet, from: Places) {
  const next = numbers(7)
  const snapshot = snapshotOf(fleet, from, () => next() / 2 ** 32)
  const demand = new DemandTracker(topology.edges.length)
  const queries = Array.from({ length: WARM_UP + DECISIONS }, () => queryOf(next))
  const costs: number[] = []
  let weighed = 0
  queries.forEach((query, i) => {
    const nowMs = START_MS + i * STEP_MS
    const before = systemClock.monotonic()
    const { choice, weighing, chosen } = steer(query, snapshot, nowMs, null, demand)
    const site = weighing?.chosen?.site
    if (choice === undefined || chosen === undefined || site === undefined) throw new Error('no edge')
    demand.note(choice.key, site, chosen.edge, nowMs)
    if (i < WARM_UP) return
    costs.push((systemClock.monotonic() - before) * 1000)
    weighed += weighing?.sites.length ?? 0
  })
  return {
    fleet: name,
    sitesWeighed: round(weighed / DECISIONS, 1),
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
    seen.set(id, { report, receivedAtMs: START_MS + (WARM_UP + DECISIONS) * STEP_MS, heldAtMs: null })
  }
  return buildSnapshot(topology, from, seen)
}

function queryOf(next: () => number): SteerQuery {
  const address = next()
  // The assets of a catalogue, the first of them far more often.
  const asset = Math.floor(1 / (next() / 2 ** 32 + 1e-5))
  return queryFor({
    host: `p${next() % PROPERTIES}.example.com`,
    path: `/catalogue/title-${asset}/v3/main.m3u8`,
    peer: `${1 + ((address >>> 24) % 220)}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`,
  })
}
