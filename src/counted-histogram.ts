// A histogram whose buckets somebody else counts in plain arrays; it is read when it is scraped. prom-client's own takes
// one value after the other and looks its labels up each time, which costs more than most of what is measured.
import { Histogram } from 'prom-client'

export interface CountedSeries {
  readonly labels: Readonly<Record<string, string>>
  /** What fell into each bucket, and last what is beyond all bounds. */
  readonly buckets: Float64Array
  /** The sum of all values. */
  readonly sum: number
}

export interface CountedHistogramOptions {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** Upper bounds. */
  readonly bounds: readonly number[]
  readonly series: () => readonly CountedSeries[]
}

export class CountedHistogram extends Histogram {
  readonly #options: CountedHistogramOptions

  constructor(options: CountedHistogramOptions) {
    const { name, help, labelNames, bounds } = options
    super({ name, help, labelNames: [...labelNames], buckets: [...bounds], registers: [] })
    this.#options = options
  }

  /** What the registry and get() read a histogram by; prom-client's types leave it out. */
  async getForPromString(): Promise<object> {
    const { name, help, series } = this.#options
    const values = series().flatMap((one) => rowsOf(this.#options, one))
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }
}

/** None for a series that has counted nothing yet. */
function rowsOf(
  { name, bounds }: CountedHistogramOptions,
  { labels, buckets, sum }: CountedSeries,
): object[] {
  const row = (suffix: string, rowLabels: object, value: number) => {
    return { metricName: `${name}_${suffix}`, labels: rowLabels, sharedLabels: {}, value }
  }
  let count = 0
  const rows = [...buckets].map((inBucket, i) => {
    count += inBucket
    return row('bucket', { le: bounds[i] ?? '+Inf', ...labels }, count)
  })
  return count === 0 ? [] : [...rows, row('sum', labels, sum), row('count', labels, count)]
}
