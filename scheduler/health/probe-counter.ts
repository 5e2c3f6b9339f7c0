// Counts probes by what came of them; it outlasts the probes of a configuration.
import { Counter } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import type { Family, ProbeResult } from './reachability.ts'

export function countProbes(promRegistry: PromRegistry): (family: Family, result: ProbeResult) => void {
  const results = new Counter({
    name: 'edgeward_scheduler_probes_total',
    help: 'Probes of edges, by address family and result.',
    labelNames: ['family', 'result'] as const,
    registers: [promRegistry],
  })
  return (family, result) => results.inc({ family: `ipv${family}`, result })
}
