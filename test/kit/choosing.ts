// Choices of sites and edges in a few words: a cluster, what its edges said last, and who asks for what.
import { DemandTracker, NO_DEMAND } from '../../scheduler/choose/demand.ts'
import type { Demand } from '../../scheduler/choose/demand.ts'
import { readQuery } from '../../scheduler/query.ts'
import type { SteerQuery } from '../../scheduler/query.ts'
import type { SeenReport } from '../../scheduler/registry/registry.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import { noteDemand } from '../../scheduler/steering.ts'
import { steer } from '../../scheduler/steer-flow.ts'
import type { Steered } from '../../scheduler/steer-flow.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { Place } from '../../src/geo/place.ts'
import type { EdgeOverride } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { queryFor, reportOf, schedulerSettings } from './scheduler.ts'
import { uniformPlaces } from './made-places.ts'

export const NOW_MS = 1_000_000

/** A report, how long ago it came, and what an operator said. */
export type Said = Partial<EdgeReport> & { ageMs?: number; override?: 'drain' | 'down' }

export interface ChoosingCluster {
  sites: Record<string, unknown>[]
  edges: Record<string, unknown>[]
  property?: Record<string, unknown>
  /** Keys of `scheduler.steering`. */
  steering?: Record<string, unknown>
}

export interface ChoosingState {
  /** By edge; left out: all are up, idle and long since started. */
  reports?: Record<string, Said>
  demand?: Demand
  place?: Place
}

export function site(
  id: string,
  lat?: number,
  lon?: number,
  coverage: Record<string, unknown> = {},
): Record<string, unknown> {
  return { id, ...(lat === undefined ? {} : { location: { lat, lon } }), coverage }
}

export function assetPath(name: string): string {
  return `/${name}/main.m3u8`
}

function overrideOf(state: 'drain' | 'down'): EdgeOverride {
  return { state, weight: 1, reason: '', setAtMs: 0 }
}

export function choosing(cluster: ChoosingCluster, state: ChoosingState = {}) {
  const { sites, edges, property = {}, steering = {} } = cluster
  const everyone = Object.fromEntries(edges.map((edge) => [String(edge['id']), {}]))
  const { reports = everyone, demand = NO_DEMAND, place } = state
  const seen = new Map<string, SeenReport>()
  for (const [id, { ageMs = 0, override, ...said }] of Object.entries<Said>(reports)) {
    const report = reportOf(id, { uptimeMs: 1e9, ...said })
    const told = override === undefined ? {} : { override: overrideOf(override) }
    seen.set(id, { report, receivedAtMs: NOW_MS - ageMs, heldAtMs: null, ...told })
  }
  const settings = schedulerSettings({
    scheduler: { steering },
    sites,
    edges,
    properties: [{ id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }], ...property }],
  })
  const topology = buildTopology(settings)
  const snapshot = buildSnapshot(topology, uniformPlaces(place), seen)
  /** Decides, and tells the demand, as the steering listener does; the short way too, which must lead as far. */
  const decide = (query: Partial<SteerQuery> = {}, nowMs = NOW_MS): Steered => {
    const asking = queryFor({ path: assetPath('a'), ...query })
    const quick = steer(asking, snapshot, nowMs, null, demand, readQuery(asking, topology.properties), false)
    const steered = steer(asking, snapshot, nowMs, null, demand)
    if (quick.chosen?.id !== steered.chosen?.id || quick.site !== steered.site) {
      throw new Error(`${quick.chosen?.id} by the short way, ${steered.chosen?.id} by the long one`)
    }
    if (demand instanceof DemandTracker) noteDemand(demand, steered)
    return steered
  }
  const ask = (query: Partial<SteerQuery> = {}, nowMs = NOW_MS) => decide(query, nowMs).chosen
  return { decide, ask }
}
