// How edges are filled, as one configuration has it: verdicts on its origins, and what the edges of each site are told.
import type { Background } from '../src/background.ts'
import type { Clock } from '../src/clock.ts'
import type { ClusterOriginSettings, SchedulerSettings } from '../src/config/scheduler-schema.ts'
import type { Logger } from '../src/log.ts'
import type { FillPlan } from './guidance/fill-plan.ts'
import { fillPlanOf } from './guidance/fill-plan.ts'
import { GuidanceBook } from './guidance/guidance-book.ts'
import type { SecretStore } from './guidance/secret-store.ts'
import { OriginJudge } from './origin/origin-judge.ts'
import type { OriginJudgeDeps } from './origin/origin-judge.ts'
import type { Snapshot, SnapshotSource } from './snapshot.ts'
import type { Topology } from './topology.ts'

/** Checked and built, but for what only a running one has. */
export interface PreparedFilling {
  readonly origins: readonly ClusterOriginSettings[]
  readonly plan: FillPlan
}

export function prepareFilling(settings: SchedulerSettings, topology: Topology): PreparedFilling {
  return { origins: settings.origins, plan: fillPlanOf(settings, topology) }
}

export interface FillingDeps {
  readonly topology: Topology
  readonly snapshots: SnapshotSource
  readonly secrets: SecretStore
  readonly configVersion: string
  readonly originEvents: Pick<OriginJudgeDeps, 'onProbe' | 'onVerdict'>
  readonly clock: Clock
  readonly log: Logger
  readonly background: Background
}

export class Filling {
  readonly plan: FillPlan
  readonly origins: OriginJudge
  readonly guidance: GuidanceBook

  /** `before`: of the configuration before, which is to be closed. */
  constructor({ origins, plan }: PreparedFilling, deps: FillingDeps, before: Filling | undefined) {
    const { topology, secrets, originEvents, clock, log, background } = deps
    this.plan = plan
    const judging = { ...originEvents, clock, log, background }
    this.origins = new OriginJudge(origins, topology.edges, judging, before?.origins)
    this.guidance = new GuidanceBook({ ...deps, plan, origins: this.origins }, before?.guidance)
    this.origins.onChange = (isNews) => this.guidance.renewShared(isNews)
    secrets.onChange = () => this.guidance.renewShared(false)
  }

  hear({ reports }: Snapshot): void {
    this.origins.hear(reports)
  }

  close(): void {
    this.origins.close()
    this.guidance.close()
  }
}
