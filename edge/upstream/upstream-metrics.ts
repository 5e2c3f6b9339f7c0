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

export function registerUpstreamMetrics(registry: Registry, upstreams: Upstreams): void {
  const gauge = (described: Described, collect: (made: Gauge, state: UpstreamState) => void) => {
    const made = new Gauge({
      ...described,
      registers: [],
      collect() {
        this.reset()
        for (const state of upstreams.states) collect(this, state)
      },
    })
    registry.registerMetric(made)
  }
  const counter = (described: Described, collect: (made: Counter) => void) => {
    const made = new Counter({
      ...described,
      registers: [],
      collect() {
        this.reset()
        collect(this)
      },
    })
    registry.registerMetric(made)
  }
  const each = (collect: (made: Counter, state: UpstreamState) => void) => (made: Counter) => {
    for (const state of upstreams.states) collect(made, state)
  }

  const labelNames = ['upstream', 'kind', 'place']
  const bounds = Object.entries(SLOTS_MAX).map(([kind, max]) => `${kind} ${max}`)
  gauge(
    {
      name: 'edgeward_edge_upstream_places_used',
      help: `Connections to an origin or another edge; at most: filling as configured, ${bounds.join(', ')}.`,
      labelNames,
    },
    (made, { id, kind, slots }) => {
      for (const place of KINDS) made.set({ upstream: id, kind, place }, slots.usedOf(place))
    },
  )
  gauge(
    { name: 'edgeward_edge_upstream_places_waiting', help: 'Requests that wait for one.', labelNames },
    (made, { id, kind, slots }) => {
      for (const place of KINDS) made.set({ upstream: id, kind, place }, slots.waitingOf(place))
    },
  )
  gauge(
    {
      name: 'edgeward_edge_upstream_open',
      help: '1 while an upstream is left alone, since it failed.',
      labelNames: ['upstream', 'kind'],
    },
    (made, { id, kind, isOpen }) => made.set({ upstream: id, kind }, isOpen ? 1 : 0),
  )
  counter(
    {
      name: 'edgeward_edge_upstream_busy_total',
      help: 'Requests to an upstream that found no place in time.',
      labelNames: ['upstream', 'kind'],
    },
    each((made, { id, kind, slots }) => made.inc({ upstream: id, kind }, slots.refused)),
  )
  counter(
    {
      name: 'edgeward_edge_upstream_attempts_total',
      help: 'Requests to an upstream by what came of them; failed: unreachable, too late, or with a status that the property fails over on.',
      labelNames: ['upstream', 'kind', 'outcome'],
    },
    each((made, { id, kind, totals }) => {
      made.inc({ upstream: id, kind, outcome: 'answered' }, totals.answered)
      made.inc({ upstream: id, kind, outcome: 'failed' }, totals.failed)
    }),
  )
  counter(
    {
      name: 'edgeward_edge_upstream_retries_refused_total',
      help: 'Failures that stood because too much was being sent again already.',
      labelNames: [],
    },
    (made) => made.inc(upstreams.budget.refused),
  )
}
