// Sessions, refusals and pace of each property, read from the limiter when Prometheus scrapes.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { liveGauge } from '../report/traffic.ts'
import type { Limiter } from './limiter.ts'
import { LIMIT_REFUSALS } from './property-state.ts'
import type { PropertyState } from './property-state.ts'

export function registerLimitMetrics(registry: Registry, limiter: Limiter): void {
  const { properties } = limiter
  const sessions = new Gauge({
    name: 'edgeward_edge_sessions',
    help: 'Sessions that go on, by property, of those that limit or follow them.',
    labelNames: ['property'],
    registers: [],
    collect() {
      for (const [property, state] of properties) this.set({ property }, state.sessions.size)
    },
  })
  registry.registerMetric(sessions)
  const unfollowed = new Counter({
    name: 'edgeward_edge_sessions_unfollowed_total',
    help: 'Requests whose session was not followed, since too many were, by property.',
    labelNames: ['property'],
    registers: [],
    collect() {
      this.reset()
      for (const [property, state] of properties) this.inc({ property }, state.unfollowed)
    },
  })
  registry.registerMetric(unfollowed)
  refusalCounter(registry, limiter, (state) => state.refused, {
    name: 'edgeward_edge_limit_refusals_total',
    help: 'Requests over a limit, by property and which limit it was.',
  })
  refusalCounter(registry, limiter, (state) => state.steered, {
    name: 'edgeward_edge_limit_steered_total',
    help: 'Of these, sent back to the scheduler instead of refused.',
  })
  liveGauge(
    registry,
    'edgeward_edge_limited_clients',
    'Clients whose limits are counted.',
    () => limiter.clientCount,
  )
  liveGauge(
    registry,
    'edgeward_edge_paced_waiting',
    'Replies and shared bandwidths that wait for their time.',
    () => limiter.waitingCount,
  )
}

function refusalCounter(
  registry: Registry,
  { properties }: Limiter,
  counts: (state: PropertyState) => PropertyState['refused'],
  about: { name: string; help: string },
): void {
  const counter = new Counter({
    ...about,
    labelNames: ['property', 'reason'],
    registers: [],
    collect() {
      this.reset()
      for (const [property, state] of properties)
        for (const reason of LIMIT_REFUSALS) this.inc({ property, reason }, counts(state)[reason])
    },
  })
  registry.registerMetric(counter)
}
