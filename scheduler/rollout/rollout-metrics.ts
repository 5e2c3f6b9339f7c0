// Metrics of the rollout: attempts by what came of them, the number that runs, and edges by how they stand to it.
import { Counter, Gauge } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import type { Clock } from '../../src/clock.ts'
import { EDGE_CONFIG_STATES } from '../../src/wire/config-rollout.ts'
import type { Running } from '../running-config.ts'
import { edgeRollouts } from './edge-rollout.ts'
import type { EdgeAcknowledgements } from './edge-rollout.ts'
import { ROLLOUT_OUTCOMES } from './rollout-result.ts'
import type { RolloutOutcome } from './rollout-result.ts'
import type { Rollout } from './rollout.ts'

/** Gives what counts attempts. */
export function countRollouts(promRegistry: PromRegistry): (outcome: RolloutOutcome) => void {
  const attempts = new Counter({
    name: 'edgeward_scheduler_config_applies_total',
    help: 'Attempts to make a configuration the current one, at this scheduler, by outcome.',
    labelNames: ['outcome'] as const,
    registers: [promRegistry],
  })
  for (const outcome of ROLLOUT_OUTCOMES) attempts.inc({ outcome }, 0)
  return (outcome) => attempts.inc({ outcome })
}

export interface ObservedRollout {
  readonly running: Running
  readonly rollout: Rollout
  readonly acknowledged: EdgeAcknowledgements
  readonly clock: Clock
}

export function registerRolloutGauges(
  promRegistry: PromRegistry,
  { running, rollout, acknowledged, clock }: ObservedRollout,
): void {
  const gauges = [
    new Gauge({
      name: 'edgeward_scheduler_config_version',
      help: 'Number of the configuration that this scheduler runs; 0 while it has none.',
      registers: [],
      collect() {
        this.set(rollout.running.version?.number ?? 0)
      },
    }),
    new Gauge({
      name: 'edgeward_scheduler_config_refused',
      help: '1 while this scheduler cannot run what is current in its cluster.',
      registers: [],
      collect() {
        this.set(rollout.refused !== null ? 1 : 0)
      },
    }),
    new Gauge({
      name: 'edgeward_scheduler_config_edges',
      help: 'Edges by how they stand to the configuration that this scheduler runs.',
      labelNames: ['state'] as const,
      registers: [],
      collect() {
        const { snapshots, edgeConfig } = running.now
        const nowMs = clock.monotonic()
        const edges = edgeRollouts(snapshots.current, edgeConfig.version, acknowledged, [], nowMs)
        for (const state of EDGE_CONFIG_STATES) {
          this.set({ state }, edges.filter((edge) => edge.state === state).length)
        }
      },
    }),
  ]
  for (const gauge of gauges) promRegistry.registerMetric(gauge)
}
