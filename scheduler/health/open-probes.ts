// The probes that the configuration asks for, with their metric.
import { Counter } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { SchedulerSettings } from '../../src/config/scheduler-schema.ts'
import type { Logger } from '../../src/log.ts'
import type { Registry } from '../registry/registry.ts'
import type { Topology } from '../topology.ts'
import { Probes } from './probes.ts'

export interface ProbesDeps {
  registry: Registry
  clock: Clock
  log: Logger
  background: Background
  promRegistry: PromRegistry
}

/** null: none are wanted. */
export function openProbes(
  { scheduler }: SchedulerSettings,
  { edges }: Topology,
  { promRegistry, registry, ...deps }: ProbesDeps,
): Probes | null {
  if (scheduler.probes === false) return null
  const { every, timeout } = scheduler.probes
  const results = new Counter({
    name: 'edgeward_scheduler_probes_total',
    help: 'Probes of edges, by address family and result.',
    labelNames: ['family', 'result'] as const,
    registers: [promRegistry],
  })
  return new Probes({
    edges,
    everyMs: every,
    timeoutMs: timeout,
    heard: () => registry.seen(),
    onProbe: (family, result) => results.inc({ family: `ipv${family}`, result }),
    ...deps,
  })
}
