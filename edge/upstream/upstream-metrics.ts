// How full the places at each origin are, read from their owner when Prometheus scrapes.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { SLOTS_MAX } from './origin-slots.ts'
import type { OriginSlots, SlotKind } from './origin-slots.ts'

const KINDS: readonly SlotKind[] = ['filling', 'held', 'parked', 'passing']

/** `places` by origin, `http://host:port`: as many as the configuration names. */
export function registerUpstreamMetrics(registry: Registry, places: ReadonlyMap<string, OriginSlots>): void {
  const gauge = (name: string, help: string, valueOf: (slots: OriginSlots, kind: SlotKind) => number) => {
    const made = new Gauge({
      name,
      help,
      labelNames: ['origin', 'kind'],
      registers: [],
      collect() {
        this.reset()
        for (const [origin, slots] of places)
          for (const kind of KINDS) this.set({ origin, kind }, valueOf(slots, kind))
      },
    })
    registry.registerMetric(made)
  }
  const bounds = KINDS.map((kind) => `${kind} ${SLOTS_MAX[kind]}`).join(', ')
  gauge('edgeward_edge_origin_places_used', `Connections to an origin; at most: ${bounds}.`, (slots, kind) =>
    slots.usedOf(kind),
  )
  gauge('edgeward_edge_origin_places_waiting', 'Requests that wait for one.', (slots, kind) =>
    slots.waitingOf(kind),
  )
  const refused = new Counter({
    name: 'edgeward_edge_origin_busy_total',
    help: 'Requests to an origin that found no place in time.',
    labelNames: ['origin'],
    registers: [],
    collect() {
      this.reset()
      for (const [origin, slots] of places) this.inc({ origin }, slots.refused)
    },
  })
  registry.registerMetric(refused)
}
