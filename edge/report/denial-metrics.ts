// Requests that rules, tokens, limits or hooks refused, counted by the word that the log and the reply say.
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'

export class DenialMetrics {
  private readonly counter: Counter<'property' | 'reason'>

  constructor(registry: Registry) {
    this.counter = new Counter({
      name: 'edgeward_edge_denials_total',
      help: 'Requests refused by access rules, tokens, limits and hooks, by property and reason.',
      labelNames: ['property', 'reason'],
      registers: [registry],
    })
  }

  /** `reason` is one of a closed set of words. */
  count(property: string, reason: string): void {
    this.counter.inc({ property, reason })
  }
}
