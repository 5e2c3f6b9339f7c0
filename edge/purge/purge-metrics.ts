// What was purged at this edge, and how many marks every object that comes up is held against.
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Purge } from '../../src/wire/events.ts'
import { liveGauge } from '../report/traffic.ts'
import type { PurgeRules } from './purge-rules.ts'

/** Gives what counts a purge. */
export function registerPurgeMetrics(registry: Registry, rules: PurgeRules): (purge: Purge) => void {
  const applied = new Counter({
    name: 'edgeward_edge_purges_applied_total',
    help: 'Purges applied, and each time everything is asked for again, by scope and mode.',
    labelNames: ['scope', 'mode'] as const,
    registers: [],
  })
  registry.registerMetric(applied)
  liveGauge(registry, 'edgeward_edge_purge_rules', 'Marks of purges that are remembered.', () => rules.size)
  return ({ scope, soft }) => applied.inc({ scope, mode: soft ? 'soft' : 'hard' })
}
