// What the edge did, counted once a request: for the report, the metrics and the admin pages.
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { CacheOutcome } from '../../src/http/cache-status.ts'

export interface TrafficTotals {
  requests: number
  /** Answered without waiting for an upstream. */
  hits: number
  bodyBytes: number
}

export class Traffic {
  readonly totals: TrafficTotals = { requests: 0, hits: 0, bodyBytes: 0 }
  private readonly requests: Counter<'property' | 'outcome' | 'status'>
  private readonly bytes: Counter<'property'>
  private readonly seconds: Histogram<'outcome'>

  constructor(registry: Registry) {
    this.requests = new Counter({
      name: 'edgeward_edge_requests_total',
      help: 'Requests answered, by property, cache outcome and status class.',
      labelNames: ['property', 'outcome', 'status'],
      registers: [registry],
    })
    this.bytes = new Counter({
      name: 'edgeward_edge_sent_bytes_total',
      help: 'Body bytes sent to clients, by property.',
      labelNames: ['property'],
      registers: [registry],
    })
    this.seconds = new Histogram({
      name: 'edgeward_edge_request_seconds',
      help: 'From the end of the request head to the end of the reply, by cache outcome.',
      labelNames: ['outcome'],
      buckets: [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5, 30],
      registers: [registry],
    })
  }

  /** `property` is an id from the configuration or ''; nothing a client can choose becomes a label. */
  count(property: string, outcome: CacheOutcome, status: number, bodyBytes: number, seconds: number): void {
    this.totals.requests++
    if (outcome === 'hit') this.totals.hits++
    this.totals.bodyBytes += bodyBytes
    this.requests.inc({ property, outcome, status: STATUS_CLASS[Math.floor(status / 100)] ?? 'none' })
    this.bytes.inc({ property }, bodyBytes)
    this.seconds.observe({ outcome }, seconds)
  }
}

const STATUS_CLASS = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

/** A gauge that is read when it is scraped. */
export function liveGauge(registry: Registry, name: string, help: string, read: () => number): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read())
    },
  })
  registry.registerMetric(gauge)
}
