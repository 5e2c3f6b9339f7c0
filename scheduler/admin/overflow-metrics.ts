// Capped properties as they are held to their caps: how much is sent of each, and which share of new clients goes
// elsewhere. How many went is in edgeward_scheduler_answers_total, as `overflow`.
import { Gauge } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import type { Clock } from '../../src/clock.ts'
import type { Demand } from '../choose/demand.ts'
import { overflowShareOf } from '../choose/overflow.ts'
import type { PropertyView, Topology } from '../topology.ts'

interface Observed {
  readonly running: { readonly now: { readonly topology: Topology; readonly demand: Demand } }
  readonly clock: Clock
}

export function registerOverflowMetrics(registers: PromRegistry, observed: Observed): void {
  const { running, clock } = observed
  const perProperty = (
    name: string,
    help: string,
    valueOf: (property: PropertyView, demand: Demand) => number,
  ) => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['property'] as const,
      registers: [],
      collect() {
        const { topology, demand } = running.now
        this.reset()
        for (const property of topology.capped) this.set({ property: property.id }, valueOf(property, demand))
      },
    })
    registers.registerMetric(gauge)
  }
  perProperty(
    'edgeward_scheduler_property_bits_per_second',
    'What all edges send of a capped property, with what new sessions are expected to take.',
    (property, demand) => demand.propertyBitRate(property, clock.monotonic()),
  )
  perProperty(
    'edgeward_scheduler_property_overflow_ratio',
    'The share of new clients of a capped property that go to its overflow, 0 to 1.',
    (property, demand) => {
      const cap = property.overflow?.above ?? Infinity
      return overflowShareOf(demand.propertyBitRate(property, clock.monotonic()), cap)
    },
  )
}
