// The metrics of origins. Labels are ids of the configuration and literal unions; an origin that is configured no longer
// keeps its counters until the scheduler stops.
import { Counter, Gauge } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import type { OriginJudge, OriginJudgeDeps } from './origin-judge.ts'
import { VERDICTS } from './verdict.ts'

/** `running`: read when metrics are asked for. */
export function registerOriginMetrics(
  registers: PromRegistry,
  running: { readonly now: { readonly filling: { readonly origins: OriginJudge } } },
): Pick<OriginJudgeDeps, 'onProbe' | 'onVerdict'> {
  const state = new Gauge({
    name: 'edgeward_scheduler_origin_state',
    help: '1 for the state that an origin is in, by origin and state.',
    labelNames: ['origin', 'state'] as const,
    registers: [registers],
    collect() {
      state.reset()
      for (const { origin, verdict } of running.now.filling.origins.standings()) {
        for (const one of VERDICTS)
          state.set({ origin: origin.id, state: one }, verdict.state === one ? 1 : 0)
      }
    },
  })
  const held = new Gauge({
    name: 'edgeward_scheduler_origin_held',
    help: 'Origins whose probes are not believed, since too many turned bad at once.',
    registers: [registers],
    collect() {
      held.set(running.now.filling.origins.held)
    },
  })
  const probes = new Counter({
    name: 'edgeward_scheduler_origin_probes_total',
    help: 'Probes of origins, by origin, address family and result.',
    labelNames: ['origin', 'family', 'result'] as const,
    registers: [registers],
  })
  const changes = new Counter({
    name: 'edgeward_scheduler_origin_verdicts_total',
    help: 'Changes of the verdict on an origin, by origin and what it became.',
    labelNames: ['origin', 'state'] as const,
    registers: [registers],
  })
  return {
    onProbe: (origin, family, result) => probes.inc({ origin, family: `ipv${family}`, result }),
    onVerdict: (origin, to) => changes.inc({ origin, state: to }),
  }
}
