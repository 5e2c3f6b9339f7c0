// One scheduler: the real parts, wired as snapshot.ts and steering.ts wire them, with virtual time in place of timers
// and a simulated store in place of Redis.
import { DemandTracker } from '../../scheduler/choose/demand.ts'
import { FleetJudge } from '../../scheduler/health/fleet.ts'
import type { FleetChange, FleetFindings } from '../../scheduler/health/fleet.ts'
import {
  DOWN_AFTER_MS,
  HEALTH_TICK_MS,
  REGISTRY_READ_EVERY_MS,
  REGISTRY_WRITE_AFTER_MS,
} from '../../scheduler/limits.ts'
import type { SteerQuery } from '../../scheduler/query.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { seenByPlace, withOverrides } from '../../scheduler/registry/registry.ts'
import type { HeardReport, SeenReport } from '../../scheduler/registry/registry.ts'
import { mergeReports } from '../../scheduler/registry/shared-reports.ts'
import type { SharedReport } from '../../scheduler/registry/shared-reports.ts'
import { buildSnapshot, snapshotOf } from '../../scheduler/snapshot.ts'
import type { Snapshot } from '../../scheduler/snapshot.ts'
import { steer } from '../../scheduler/steer-flow.ts'
import type { Steered } from '../../scheduler/steer-flow.ts'
import type { Topology } from '../../scheduler/topology.ts'
import type { Clock } from '../../src/clock.ts'
import type { Places } from '../../src/geo/places.ts'
import type { OverrideRequest } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { SimEdge } from './fleet.ts'
import { SimProber } from './prober.ts'
import type { ReportStore } from './report-store.ts'

export interface SimSchedulerParts {
  readonly name: string
  readonly clock: Clock
  readonly topology: Topology
  readonly places: Places
  readonly store: ReportStore
  readonly fleet: readonly SimEdge[]
  /** When it first reads the store and looks at the fleet: schedulers do so at different moments. */
  readonly phaseMs: number
}

export class SimScheduler {
  readonly #parts: SimSchedulerParts
  readonly #registry: MemoryRegistry
  readonly #shared = new Map<string, SharedReport>()
  readonly #unwritten = new Map<string, HeardReport>()
  readonly #judge: FleetJudge
  readonly #demand: DemandTracker
  readonly #prober: SimProber
  /** Changes of what is held, to be told. */
  readonly changes: FleetChange[] = []
  #snapshot: Snapshot
  #dirty = true
  #nextReadMs: number
  #nextTickMs: number
  #writeAtMs = Infinity

  constructor(parts: SimSchedulerParts) {
    this.#parts = parts
    const { clock, topology, places, fleet, phaseMs } = parts
    this.#registry = new MemoryRegistry(clock)
    this.#judge = new FleetJudge(topology.edges)
    this.#demand = new DemandTracker({ edges: topology.edges.length, sites: topology.sites.length })
    this.#prober = new SimProber(fleet)
    this.#snapshot = buildSnapshot(topology, places, new Map())
    this.#nextReadMs = phaseMs
    this.#nextTickMs = phaseMs
  }

  get name(): string {
    return this.#parts.name
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Its monotonic clock. */
  get nowMs(): number {
    return this.#parts.clock.monotonic()
  }

  record(report: EdgeReport): void {
    if (this.#registry.record(report) === 'retired') return
    this.#unwritten.set(report.id, { report, receivedAtMs: this.nowMs })
    this.#dirty = true
  }

  /** An operator's word, which all schedulers have within a second. */
  override(edge: string, wanted: OverrideRequest | null): void {
    void this.#registry.setOverride(edge, wanted)
    this.#dirty = true
  }

  /** A step of the simulation has passed; by `realMs`, its clock, nobody here can tell the time. */
  advance(realMs: number): void {
    this.#share(realMs)
    if (this.#prober.advance(realMs)) this.#dirty = true
    const isTick = realMs >= this.#nextTickMs
    if (isTick) this.#nextTickMs += HEALTH_TICK_MS
    if (!this.#dirty && !isTick) return
    const seen = seenByPlace(this.#parts.topology.edges, this.#seen())
    const { findings, changes } = this.#judge.judge(seen, this.#prober.reach, this.nowMs)
    this.changes.push(...changes)
    if (this.#dirty || changes.length > 0 || findings.holds.length > 0) this.#rebuild(seen, findings)
  }

  decide(query: SteerQuery): Steered {
    const { nowMs } = this
    const steered = steer(query, this.#snapshot, nowMs, null, this.#demand)
    const { choice, weighing, chosen } = steered
    const site = weighing?.chosen?.site
    if (choice !== undefined && site !== undefined && chosen !== undefined) {
      this.#demand.note(choice, site, chosen.edge, nowMs)
    }
    return steered
  }

  #rebuild(seen: readonly (SeenReport | undefined)[], findings: FleetFindings): void {
    const { topology, places } = this.#parts
    this.#dirty = false
    this.#snapshot = snapshotOf(topology, places, seen, this.#snapshot, findings)
    this.#demand.hear(this.#snapshot, this.nowMs)
  }

  #seen(): ReadonlyMap<string, SeenReport> {
    return withOverrides(mergeReports(this.#registry.seen(), this.#shared, null), this.#registry.overrides())
  }

  #share(realMs: number): void {
    const { store, name } = this.#parts
    if (this.#unwritten.size > 0) {
      if (this.#writeAtMs === Infinity) this.#writeAtMs = realMs + REGISTRY_WRITE_AFTER_MS
      if (realMs >= this.#writeAtMs) {
        for (const { report, receivedAtMs } of this.#unwritten.values()) {
          store.write(name, report, this.nowMs - receivedAtMs, realMs)
        }
        this.#unwritten.clear()
        this.#writeAtMs = Infinity
      }
    }
    if (realMs < this.#nextReadMs) return
    this.#nextReadMs += REGISTRY_READ_EVERY_MS
    for (const { by, report, leftMs } of store.readAll(realMs)) {
      if (by === name) continue
      const receivedAtMs = this.nowMs - (DOWN_AFTER_MS - leftMs)
      this.#shared.set(report.id, { report, receivedAtMs, text: '' })
    }
    this.#dirty = true
  }
}
