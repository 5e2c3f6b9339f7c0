// What the edge did, counted once a request: for the report, the metrics and the admin pages. Counted in plain
// arrays and turned into Prometheus' terms when they are scraped: looking labels up there at each request was
// a tenth of what a hit costs.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { CountedHistogram } from '../../src/counted-histogram.ts'
import type { CacheOutcome } from '../../src/http/cache-status.ts'
import { BusyDirectories } from './busy-directories.ts'

export interface TrafficTotals {
  requests: number
  /** Answered without waiting for an upstream. */
  hits: number
  bodyBytes: number
}

const OUTCOME_INDEX: Readonly<Record<CacheOutcome, number>> = {
  hit: 0,
  miss: 1,
  stale: 2,
  revalidated: 3,
  collapsed: 4,
  pass: 5,
  denied: 6,
  local: 7,
}
const OUTCOMES = Object.keys(OUTCOME_INDEX)
const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']
/** Upper bounds in seconds; one more bucket holds what is slower. */
const BUCKETS = [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5, 30]

interface PropertyCounts {
  /** By outcome, then status class. */
  requests: Float64Array
  bodyBytes: number
}

interface DurationCounts {
  buckets: Float64Array
  seconds: number
}

export class Traffic {
  readonly totals: TrafficTotals = { requests: 0, hits: 0, bodyBytes: 0 }
  readonly directories = new BusyDirectories()
  private readonly properties = new Map<string, PropertyCounts>()
  private readonly durations: readonly DurationCounts[] = OUTCOMES.map(() => ({
    buckets: new Float64Array(BUCKETS.length + 1),
    seconds: 0,
  }))

  constructor(registry: Registry) {
    registerRequests(registry, this.properties)
    registerBytes(registry, this.properties)
    registry.registerMetric(
      new CountedHistogram({
        name: 'edgeward_edge_request_seconds',
        help: 'From the end of the request head to the end of the reply, by cache outcome.',
        labelNames: ['outcome'],
        bounds: BUCKETS,
        series: () =>
          this.durations.map(({ buckets, seconds }, i) => {
            return { labels: { outcome: OUTCOMES[i] ?? '' }, buckets, sum: seconds }
          }),
      }),
    )
  }

  /** `property` is an id from the configuration or ''; nothing a client can choose becomes a label. */
  count(property: string, outcome: CacheOutcome, status: number, bodyBytes: number, seconds: number): void {
    this.totals.requests++
    if (outcome === 'hit') this.totals.hits++
    this.totals.bodyBytes += bodyBytes

    const counts = this.properties.get(property) ?? this.newProperty(property)
    const statusClass = Math.floor(status / 100)
    bump(
      counts.requests,
      OUTCOME_INDEX[outcome] * STATUS_CLASSES.length + (statusClass < 6 ? statusClass : 0),
    )
    counts.bodyBytes += bodyBytes

    const duration = this.durations[OUTCOME_INDEX[outcome]]
    if (duration === undefined) return
    let bucket = 0
    while (seconds > (BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    bump(duration.buckets, bucket)
    duration.seconds += seconds
  }

  /** A reply to another edge. */
  countPeer(bodyBytes: number): void {
    this.totals.bodyBytes += bodyBytes
  }

  /** Body bytes of one property, ever. */
  sentBytesOf(property: string): number {
    return this.properties.get(property)?.bodyBytes ?? 0
  }

  private newProperty(property: string): PropertyCounts {
    const counts = { requests: new Float64Array(OUTCOMES.length * STATUS_CLASSES.length), bodyBytes: 0 }
    this.properties.set(property, counts)
    return counts
  }
}

function bump(counts: Float64Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1
}

function registerRequests(registry: Registry, properties: ReadonlyMap<string, PropertyCounts>): void {
  const counter = new Counter({
    name: 'edgeward_edge_requests_total',
    help: 'Requests answered, by property, cache outcome and status class.',
    labelNames: ['property', 'outcome', 'status'],
    registers: [],
    collect() {
      this.reset()
      for (const [property, { requests }] of properties) {
        requests.forEach((count, i) => {
          const outcome = OUTCOMES[Math.floor(i / STATUS_CLASSES.length)] ?? ''
          const status = STATUS_CLASSES[i % STATUS_CLASSES.length] ?? ''
          if (count > 0) this.inc({ property, outcome, status }, count)
        })
      }
    },
  })
  registry.registerMetric(counter)
}

function registerBytes(registry: Registry, properties: ReadonlyMap<string, PropertyCounts>): void {
  const counter = new Counter({
    name: 'edgeward_edge_sent_bytes_total',
    help: 'Body bytes sent to clients, by property.',
    labelNames: ['property'],
    registers: [],
    collect() {
      this.reset()
      for (const [property, { bodyBytes }] of properties) this.inc({ property }, bodyBytes)
    },
  })
  registry.registerMetric(counter)
}

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
