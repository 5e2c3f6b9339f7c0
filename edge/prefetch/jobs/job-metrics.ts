// What prefetches that were asked for bring and cost.
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import { liveGauge } from '../../report/traffic.ts'
import type { JobCounters } from './job-run.ts'

/** `running`: prefetches under way, those that wait for their hours among them. */
export function registerJobMetrics(registry: Registry, running: () => number): JobCounters {
  const objects = new Counter({
    name: 'edgeward_edge_prefetch_job_objects_total',
    help: 'Objects of prefetches, by whether they were fetched or here already and fresh.',
    labelNames: ['outcome'] as const,
    registers: [registry],
  })
  const bytes = new Counter({
    name: 'edgeward_edge_prefetch_job_bytes_total',
    help: 'Body bytes fetched for prefetches.',
    registers: [registry],
  })
  const failures = new Counter({
    name: 'edgeward_edge_prefetch_job_failures_total',
    help: 'Objects of prefetches that could not be had, by reason.',
    labelNames: ['reason'] as const,
    registers: [registry],
  })
  liveGauge(registry, 'edgeward_edge_prefetch_jobs', 'Prefetches that this edge has to do.', running)
  return {
    object: (outcome) => objects.inc({ outcome }),
    bytes: (count) => bytes.inc(count),
    failure: (reason) => failures.inc({ reason }),
  }
}
