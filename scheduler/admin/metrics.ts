// The scheduler's metrics. Labels come from the configuration and from literal unions, so they are bounded.
import { Counter, Gauge } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import { VERSION } from '../../src/version.ts'
import type { Clock } from '../../src/clock.ts'
import type { Outcome } from '../answer/answers.ts'
import { EVIDENCE } from '../health/fleet.ts'
import { EDGE_STATES, stateOf } from '../health/liveness.ts'
import type { LocationSource } from '../locate/locate.ts'
import type { Registry } from '../registry/registry.ts'
import type { SnapshotSource } from '../snapshot.ts'
import type { PropertyView } from '../topology.ts'
import { AnswerCounts } from './answer-counts.ts'

/** impossible: taken, but it claims more than the edge can carry. duplicate-id: another process is that edge. */
export type ReportResult =
  | 'accepted'
  | 'impossible'
  | 'refused-key'
  | 'other-edge'
  | 'duplicate-id'
  | 'invalid'
  | 'too-large'

export interface SchedulerMetrics {
  /** `source` is left out where nobody was located. */
  answered(
    outcome: Outcome,
    property: PropertyView | undefined,
    source: LocationSource | undefined,
    seconds: number,
  ): void
  denied(property: PropertyView | undefined, reason: string): void
  reported(result: ReportResult): void
}

interface Observed {
  readonly snapshots: SnapshotSource
  readonly registry: Registry
  readonly clock: Clock
}

export function createSchedulerMetrics(registers: PromRegistry, observed: Observed): SchedulerMetrics {
  const answers = new AnswerCounts(registers)
  const denials = new Counter({
    name: 'edgeward_scheduler_denials_total',
    help: 'Clients refused by access rules and tokens, by property and reason.',
    labelNames: ['property', 'reason'] as const,
    registers: [registers],
  })
  const reports = new Counter({
    name: 'edgeward_scheduler_reports_total',
    help: 'Reports of edges to this scheduler, by result.',
    labelNames: ['result'] as const,
    registers: [registers],
  })
  registerGauges(registers, observed)
  registerFleetGauges(registers, observed)
  return {
    answered: (outcome, property, source, seconds) => answers.count(outcome, property, source, seconds),
    denied: (property, reason) => denials.inc({ property: property?.id ?? '', reason }),
    reported: (result) => reports.inc({ result }),
  }
}

function registerGauges(registers: PromRegistry, { snapshots, registry, clock }: Observed): void {
  const edges = new Gauge({
    name: 'edgeward_scheduler_edges',
    help: 'Configured edges by state.',
    labelNames: ['state'] as const,
    registers: [registers],
    collect() {
      const counts = new Map<string, number>(EDGE_STATES.map((state) => [state, 0]))
      const { reports, health } = snapshots.current
      reports.forEach((seen, i) => {
        const state = stateOf(seen, clock.monotonic(), health[i])
        counts.set(state, (counts.get(state) ?? 0) + 1)
      })
      for (const [state, count] of counts) edges.set({ state }, count)
    },
  })
  const held = new Gauge({
    name: 'edgeward_scheduler_registry_held',
    help: '1 while the shared registry cannot be read and the last good view is held.',
    registers: [registers],
    collect(): void {
      held.set(registry.status().state === 'held' ? 1 : 0)
    },
  })
  const overrides = new Gauge({
    name: 'edgeward_scheduler_overrides',
    help: 'Edges with an override by an operator, by what it changes; one may count twice.',
    labelNames: ['kind'] as const,
    registers: [registers],
    collect() {
      const inForce = [...registry.overrides().values()]
      for (const kind of ['drain', 'down'] as const) {
        overrides.set({ kind }, inForce.filter(({ state }) => state === kind).length)
      }
      overrides.set({ kind: 'weight' }, inForce.filter(({ weight }) => weight !== 1).length)
    },
  })
  const info = new Gauge({
    name: 'edgeward_scheduler_build_info',
    help: 'Always 1; the version and the kind of registry as labels.',
    labelNames: ['version', 'registry'] as const,
    registers: [registers],
  })
  info.set({ version: VERSION, registry: registry.kind }, 1)
}

/** What probes found, and which mass failures are not believed. */
function registerFleetGauges(registers: PromRegistry, { snapshots }: Observed): void {
  const unreachable = new Gauge({
    name: 'edgeward_scheduler_edges_unreachable',
    help: 'Edges whose addresses of a family do not answer probes.',
    labelNames: ['family'] as const,
    registers: [registers],
    collect() {
      const { reach } = snapshots.current
      for (const family of [4, 6] as const) {
        const count = reach.filter((edge) => edge[family] === 'unreachable').length
        unreachable.set({ family: `ipv${family}` }, count)
      }
    },
  })
  const held = new Gauge({
    name: 'edgeward_scheduler_held_edges',
    help: 'Edges that are held as they were, since too many turned bad at once, by the evidence against them.',
    labelNames: ['evidence'] as const,
    registers: [registers],
    collect() {
      const { holds } = snapshots.current
      for (const evidence of EVIDENCE) {
        held.set({ evidence }, holds.find((hold) => hold.evidence === evidence)?.edges ?? 0)
      }
    },
  })
}
