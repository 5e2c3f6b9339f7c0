// The immutable view that every steering decision reads: topology, GeoIP, the last reports and what is remembered of
// each edge. A request takes the reference once; reports build the next one aside and swap it in.
import type { Clock } from '../src/clock.ts'
import type { Places } from '../src/geo/places.ts'
import type { Logger } from '../src/log.ts'
import { nextHealth } from './health/edge-health.ts'
import type { EdgeHealth } from './health/edge-health.ts'
import { FleetJudge, NO_FINDINGS } from './health/fleet.ts'
import type { FleetChange, FleetFindings, FleetHold } from './health/fleet.ts'
import type { EdgeReach } from './health/reachability.ts'
import { HEALTH_TICK_MS, SNAPSHOT_COALESCE_MS } from './limits.ts'
import { placesBefore } from './places-before.ts'
import { seenByPlace } from './registry/registry.ts'
import type { PlacedReports, Registry, SeenReport } from './registry/registry.ts'
import type { EdgeView, Topology } from './topology.ts'

export interface Snapshot {
  readonly topology: Topology
  readonly places: Places
  /** The last report of each edge, by `EdgeView.index`. Its age is judged when it is read. */
  readonly reports: readonly (SeenReport | undefined)[]
  /** By `EdgeView.index`; undefined for one that was never heard of. */
  readonly health: readonly (EdgeHealth | undefined)[]
  /** What probes say, by `EdgeView.index`; empty where nothing is probed. */
  readonly reach: readonly EdgeReach[]
  /**
   * By `SiteView.index`: the same number as in the snapshot before while each edge of the site is as it was, else one
   * that no snapshot of this process has had. What was made from them is known by it to hold.
   */
  readonly siteSerials: readonly number[]
  /** Mass failures that are not believed: the last good state is held. */
  readonly holds: readonly FleetHold[]
}

let built = 0

/** `seen` by edge id. */
export function buildSnapshot(
  topology: Topology,
  places: Places,
  seen: ReadonlyMap<string, SeenReport>,
  before?: Snapshot,
  findings: FleetFindings = NO_FINDINGS,
): Snapshot {
  return snapshotOf(topology, places, seenByPlace(topology.edges, seen), before, findings)
}

/** `seen` by `EdgeView.index`. */
export function snapshotOf(
  topology: Topology,
  places: Places,
  seen: readonly (SeenReport | undefined)[],
  before: Snapshot | undefined,
  { heldReports, reach, holds }: FleetFindings,
): Snapshot {
  const reports = heldReports.size === 0 ? seen : withHeld(seen, heldReports)
  const remembered = healthBefore(topology, before)
  const health = topology.edges.map((edge, i) => nextHealth(remembered[i], reports[i], edge))
  const next = { topology, places, reports, health, reach, holds }
  return { ...next, siteSerials: siteSerialsOf(next, before) }
}

function withHeld(
  seen: readonly (SeenReport | undefined)[],
  held: ReadonlySet<number>,
): readonly (SeenReport | undefined)[] {
  return seen.map((report, i) => {
    // As if it had just arrived: its age stands still there.
    return report !== undefined && held.has(i) ? { ...report, heldAtMs: report.receivedAtMs } : report
  })
}

/** By the places of this topology. */
function healthBefore(topology: Topology, before: Snapshot | undefined): readonly (EdgeHealth | undefined)[] {
  if (before === undefined || before.topology === topology) return before?.health ?? []
  const places = placesBefore(topology.edges, before.topology.edges)
  return places.map((place) => (place === undefined ? undefined : before.health[place]))
}

function siteSerialsOf(
  { topology, reports, health, reach }: Pick<Snapshot, 'topology' | 'reports' | 'health' | 'reach'>,
  before: Snapshot | undefined,
): number[] {
  built += 1
  return topology.sites.map(({ index, edges }) => {
    const serial = before?.siteSerials[index]
    if (before?.topology !== topology || serial === undefined) return built
    for (const { index: i } of edges) {
      const isAsBefore =
        reports[i] === before.reports[i] && health[i] === before.health[i] && reach[i] === before.reach[i]
      if (!isAsBefore) return built
    }
    return serial
  })
}

const NOTHING_PROBED: readonly EdgeReach[] = []

/** Where the snapshot of now is; read once a request. */
export interface SnapshotSource {
  readonly current: Snapshot
}

/** What the probes found so far. */
export interface ReachSource {
  /** Replaced, never changed. */
  readonly reach: readonly EdgeReach[]
  /** Called after each change; one listener. */
  onChange: (() => void) | null
}

export interface SnapshotDeps {
  clock: Clock
  log: Logger
  /** Null: nothing is probed. */
  probes: ReachSource | null
}

/**
 * Holds the current snapshot and rebuilds it, at most every SNAPSHOT_COALESCE_MS, when reports or probes change, and
 * while a mass failure is held. Owns the timers; `close` ends them.
 */
export class SnapshotHolder {
  /** Called with each new one after a rebuild; one listener. */
  onReplace: ((snapshot: Snapshot) => void) | null = null
  #current: Snapshot
  #timer: NodeJS.Timeout | null = null
  readonly #registry: Registry
  readonly #deps: SnapshotDeps
  readonly #fleet: FleetJudge
  readonly #edges: readonly EdgeView[]
  readonly #tick: NodeJS.Timeout
  readonly #onChange = () => this.#schedule()

  /** `before`: of the configuration before; what it remembers of edges that are still there goes on. */
  constructor(
    topology: Topology,
    places: Places,
    registry: Registry,
    deps: SnapshotDeps,
    before?: SnapshotHolder,
  ) {
    this.#registry = registry
    this.#deps = deps
    this.#fleet = new FleetJudge(topology.edges, before === undefined ? undefined : before.#fleet)
    this.#edges = topology.edges
    const { findings } = this.#judge()
    this.#current = snapshotOf(topology, places, this.#reportsNow(), before?.current, findings)
    registry.onChange = this.#onChange
    if (deps.probes !== null) deps.probes.onChange = this.#onChange
    this.#tick = setInterval(() => this.#look(), HEALTH_TICK_MS)
    this.#tick.unref()
  }

  get current(): Snapshot {
    return this.#current
  }

  /** GeoIP files have changed: decisions from now on are made by the new ones. */
  replacePlaces(places: Places): void {
    this.#current = { ...this.#current, places }
  }

  close(): void {
    this.onReplace = null
    // Another may have taken over.
    if (this.#registry.onChange === this.#onChange) this.#registry.onChange = null
    if (this.#deps.probes !== null) this.#deps.probes.onChange = null
    clearInterval(this.#tick)
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#rebuild(this.#judge().findings)
    }, SNAPSHOT_COALESCE_MS)
  }

  /** Edges that fall silent change nothing that anyone would be told of. */
  #look(): void {
    const { findings, changed } = this.#judge()
    if (changed || findings.holds.length > 0) this.#rebuild(findings)
  }

  #rebuild(findings: FleetFindings): void {
    const { topology, places } = this.#current
    this.#current = snapshotOf(topology, places, this.#reportsNow(), this.#current, findings)
    this.onReplace?.(this.#current)
  }

  #judge(): { findings: FleetFindings; changed: boolean } {
    const { clock, probes } = this.#deps
    const { findings, changes } = this.#fleet.judge(
      this.#reportsNow(),
      probes?.reach ?? NOTHING_PROBED,
      clock.monotonic(),
    )
    for (const change of changes) this.#tell(change)
    return { findings, changed: changes.length > 0 }
  }

  #reportsNow(): PlacedReports {
    return this.#registry.seenBy(this.#edges)
  }

  #tell({ evidence, change, edges }: FleetChange): void {
    const { log } = this.#deps
    const about = { evidence, edges }
    if (change === 'begins') log.error(about, 'mass failure is not believed: the last good state is held')
    else if (change === 'recovered') log.info(about, 'mass failure is over: nothing is held')
    else log.error(about, 'mass failure has lasted: it is believed now')
  }
}
