// What came of requests upstream, who is left alone, and how full the places at each upstream are: read from their owner
// when Prometheus scrapes. As many as configuration and guidance name.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { SLOTS_MAX } from './origin-slots.ts'
import type { SlotKind } from './origin-slots.ts'
import type { UpstreamState } from './upstream-state.ts'
import type { Upstreams } from './upstreams.ts'

const KINDS: readonly SlotKind[] = ['filling', 'held', 'parked', 'passing']

interface Described {
  name: string
  help: string
  labelNames: string[]
}

type Collect<Made> = (made: Made, state: UpstreamState) => void

export function registerUpstreamMetrics(registry: Registry, upstreams: Upstreams): void {
  const made = [...gauges(upstreams), ...counters(upstreams), retriesRefused(upstreams)]
  for (const metric of made) registry.registerMetric(metric)
}

function gauges(upstreams: Upstreams): Gauge[] {
  const gauge = (described: Described, collect: Collect<Gauge>) =>
    new Gauge({
      ...described,
      registers: [],
      collect() {
        this.reset()
        for (const state of upstreams.states) collect(this, state)
      },
    })
  const labelNames = ['upstream', 'kind', 'place']
  const bounds = Object.entries(SLOTS_MAX).map(([kind, max]) => `${kind} ${max}`)
  return [
    gauge(
      {
        name: 'edgeward_edge_upstream_places_used',
        help: `Connections to an origin or another edge; at most: filling as configured, ${bounds.join(', ')}.`,
        labelNames,
      },
      (made, { id, kind, slots }) => {
        for (const place of KINDS) made.set({ upstream: id, kind, place }, slots.usedOf(place))
      },
    ),
    gauge(
      { name: 'edgeward_edge_upstream_places_waiting', help: 'Requests that wait for one.', labelNames },
      (made, { id, kind, slots }) => {
        for (const place of KINDS) made.set({ upstream: id, kind, place }, slots.waitingOf(place))
      },
    ),
    gauge(
      {
        name: 'edgeward_edge_upstream_open',
        help: '1 while an upstream is left alone, since it failed.',
        labelNames: ['upstream', 'kind'],
      },
      (made, { id, kind, isOpen }) => made.set({ upstream: id, kind }, isOpen ? 1 : 0),
    ),
  ]
}

function counters(upstreams: Upstreams): Counter[] {
  const counter = (described: Described, collect: Collect<Counter>) =>
    new Counter({
      ...described,
      registers: [],
      collect() {
        this.reset()
        for (const state of upstreams.states) collect(this, state)
      },
    })
  const labelNames = ['upstream', 'kind']
  return [
    counter(
      {
        name: 'edgeward_edge_upstream_busy_total',
        help: 'Requests to an upstream that found no place in time.',
        labelNames,
      },
      (made, { id, kind, slots }) => made.inc({ upstream: id, kind }, slots.refused),
    ),
    counter(
      {
        name: 'edgeward_edge_upstream_attempts_total',
        help: 'Requests to an upstream by what came of them; failed: unreachable, too late, or with a status that the property fails over on.',
        labelNames: [...labelNames, 'outcome'],
      },
      (made, { id, kind, totals }) => {
        made.inc({ upstream: id, kind, outcome: 'answered' }, totals.answered)
        made.inc({ upstream: id, kind, outcome: 'failed' }, totals.failed)
      },
    ),
    counter(
      {
        name: 'edgeward_edge_upstream_hedges_total',
        help: 'Requests to an upstream beside one to another that was slow to answer.',
        labelNames,
      },
      (made, { id, kind, hedges }) => made.inc({ upstream: id, kind }, hedges.sent),
    ),
    counter(
      {
        name: 'edgeward_edge_upstream_hedges_answered_total',
        help: 'Those of them that gave the answer.',
        labelNames,
      },
      (made, { id, kind, hedges }) => made.inc({ upstream: id, kind }, hedges.answered),
    ),
  ]
}

function retriesRefused({ budget }: Upstreams): Counter {
  return new Counter({
    name: 'edgeward_edge_upstream_retries_refused_total',
    help: 'Failures that stood because too much was being sent again already.',
    registers: [],
    collect() {
      this.reset()
      this.inc(budget.refused)
    },
  })
}
