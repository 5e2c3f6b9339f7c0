// What session hooks and event receivers cost and answer, read from their owners when Prometheus scrapes.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { liveCounter } from '../report/edge-metrics.ts'
import { liveGauge } from '../report/traffic.ts'
import type { Callbacks, HookState } from './callbacks.ts'
import { isOpen } from '../circuit.ts'
import type { Events } from './events.ts'

const CALLS: Readonly<Record<string, (hook: HookState) => number>> = {
  admitted: (hook) => hook.admitted,
  denied: (hook) => hook.denied,
  failed: (hook) => hook.failed,
  spared: (hook) => hook.spared,
}
const UNANSWERED: Readonly<Record<string, (hook: HookState) => number>> = {
  admitted: (hook) => hook.failedOpen,
  denied: (hook) => hook.failedClosed,
}

export function registerCallbackMetrics(registry: Registry, callbacks: Callbacks, events: Events): void {
  const { hooks } = callbacks
  hookCounter(registry, hooks, CALLS, {
    name: 'edgeward_edge_callback_calls_total',
    help: 'Calls of session hooks, by property and outcome; spared: not made, the hook being down or busy.',
  })
  hookCounter(registry, hooks, UNANSWERED, {
    name: 'edgeward_edge_callback_unanswered_total',
    help: 'Requests whose session hook gave no answer, by property and what held then.',
  })
  hookCounter(
    registry,
    hooks,
    { remembered: (hook) => hook.remembered },
    {
      name: 'edgeward_edge_callback_remembered_total',
      help: 'Requests that an earlier answer of their session hook held for, by property.',
    },
  )
  const down = new Gauge({
    name: 'edgeward_edge_callback_down',
    help: '1 while a session hook fails and is left alone, by property.',
    labelNames: ['property'],
    registers: [],
    collect() {
      for (const [property, hook] of hooks) this.set({ property }, isOpen(hook.circuit) ? 1 : 0)
    },
  })
  registry.registerMetric(down)
  liveGauge(registry, 'edgeward_edge_events_waiting', 'Events that wait to be sent.', () => events.waiting)
  const counted = (name: string, help: string, total: () => number) =>
    liveCounter(registry, `edgeward_edge_events_${name}_total`, help, total)
  counted('sent', 'Events that their receiver took.', () => events.counts.sent)
  counted('dropped', 'Events pushed out by later ones.', () => events.counts.dropped)
  counted('failed', 'Events refused by their receiver, or tried too often.', () => events.counts.failed)
}

function hookCounter(
  registry: Registry,
  hooks: ReadonlyMap<string, HookState>,
  outcomes: Readonly<Record<string, (hook: HookState) => number>>,
  about: { name: string; help: string },
): void {
  const counter = new Counter({
    ...about,
    labelNames: ['property', 'outcome'],
    registers: [],
    collect() {
      this.reset()
      for (const [property, hook] of hooks)
        for (const [outcome, read] of Object.entries(outcomes)) this.inc({ property, outcome }, read(hook))
    },
  })
  registry.registerMetric(counter)
}
