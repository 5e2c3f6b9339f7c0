// The immutable view that every steering decision reads: topology, GeoIP and the last reports. A request
// takes the reference once; reports build the next one aside and swap it in.
import type { Places } from '../src/geo/places.ts'
import { presenceOf } from './choose/ramp-up.ts'
import type { Presence } from './choose/ramp-up.ts'
import { SNAPSHOT_COALESCE_MS } from './limits.ts'
import type { Registry, SeenReport } from './registry/registry.ts'
import type { Topology } from './topology.ts'

export interface Snapshot {
  readonly topology: Topology
  readonly places: Places
  /** The last report of each edge, by `EdgeView.index`. Its age is judged when it is read. */
  readonly reports: readonly (SeenReport | undefined)[]
  /** When each edge came back, by `EdgeView.index`; undefined for one that was never heard of. */
  readonly presences: readonly (Presence | undefined)[]
}

export function buildSnapshot(
  topology: Topology,
  places: Places,
  seen: ReadonlyMap<string, SeenReport>,
  before?: Snapshot,
): Snapshot {
  const reports = topology.edges.map((edge) => seen.get(edge.id))
  // By place: a topology lasts as long as its process.
  const presences = reports.map((report, index) => presenceOf(before?.presences[index], report))
  return { topology, places, reports, presences }
}

/** Holds the current snapshot and rebuilds it, at most every SNAPSHOT_COALESCE_MS, when reports change. */
export class SnapshotHolder {
  #current: Snapshot
  #timer: NodeJS.Timeout | null = null
  readonly #registry: Registry

  constructor(topology: Topology, places: Places, registry: Registry) {
    this.#registry = registry
    this.#current = buildSnapshot(topology, places, registry.seen())
    registry.onChange = () => this.#schedule()
  }

  get current(): Snapshot {
    return this.#current
  }

  /** GeoIP files have changed: decisions from now on are made by the new ones. */
  replacePlaces(places: Places): void {
    this.#current = { ...this.#current, places }
  }

  close(): void {
    this.#registry.onChange = null
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      const { topology, places } = this.#current
      this.#current = buildSnapshot(topology, places, this.#registry.seen(), this.#current)
    }, SNAPSHOT_COALESCE_MS)
  }
}
