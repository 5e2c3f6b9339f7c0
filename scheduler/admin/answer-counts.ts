// What the scheduler answered, counted once a decision in plain arrays and turned into Prometheus' terms when they are
// scraped: looking labels up there at each answer took longer than the answer.
import { Counter } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import { CountedHistogram } from '../../src/counted-histogram.ts'
import { OUTCOMES } from '../answer/answers.ts'
import type { Outcome } from '../answer/answers.ts'
import { LOCATION_SOURCES } from '../locate/locate.ts'
import type { LocationSource } from '../locate/locate.ts'
import type { PropertyView } from '../topology.ts'

/** A decision takes microseconds; the buckets, upper bounds in seconds, are around that. */
const BUCKETS_S = [5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 2.5e-2]

export class AnswerCounts {
  /** By id of the property, '' for none: bounded by the properties of every configuration that ran. Where its counts begin. */
  readonly #places = new Map<string, number>()
  /** Of each property by outcome, one behind the other: each answer waits for memory once. */
  #answers = new Float64Array(16 * OUTCOMES.length)
  /** By `PropertyView.index`, the property met last there and its place: as many as the largest configuration had. */
  readonly #known: (PropertyView | undefined)[] = []
  readonly #knownPlaces: number[] = []
  readonly #located = new Float64Array(LOCATION_SOURCES.length)
  /** One more than the bounds: what is slower. */
  readonly #durations = new Float64Array(BUCKETS_S.length + 1)
  #seconds = 0

  constructor(registers: PromRegistry) {
    registers.registerMetric(this.#answersTotal())
    registers.registerMetric(this.#locationsTotal())
    registers.registerMetric(
      new CountedHistogram({
        name: 'edgeward_scheduler_decision_seconds',
        help: 'Time from a parsed request to its reply handed to the socket.',
        labelNames: [],
        bounds: BUCKETS_S,
        series: () => [{ labels: {}, buckets: this.#durations, sum: this.#seconds }],
      }),
    )
  }

  count(
    outcome: Outcome,
    property: PropertyView | undefined,
    source: LocationSource | undefined,
    seconds: number,
  ): void {
    const place = this.#placeOf(property)
    bump(this.#answers, place + OUTCOMES.indexOf(outcome))
    if (source !== undefined) bump(this.#located, LOCATION_SOURCES.indexOf(source))
    let bucket = 0
    while (seconds > (BUCKETS_S[bucket] ?? Infinity)) bucket += 1
    bump(this.#durations, bucket)
    this.#seconds += seconds
  }

  #placeOf(property: PropertyView | undefined): number {
    if (property === undefined) return this.#placeOfId('')
    const { index } = property
    if (this.#known[index] !== property) {
      this.#known[index] = property
      this.#knownPlaces[index] = this.#placeOfId(property.id)
    }
    return this.#knownPlaces[index] ?? 0
  }

  #placeOfId(id: string): number {
    const known = this.#places.get(id)
    if (known !== undefined) return known
    const place = this.#places.size * OUTCOMES.length
    this.#places.set(id, place)
    if (place === this.#answers.length) {
      const larger = new Float64Array(2 * place)
      larger.set(this.#answers)
      this.#answers = larger
    }
    return place
  }

  #answersTotal(): Counter<'outcome' | 'property'> {
    const places = this.#places
    const countAt = (place: number) => this.#answers[place] ?? 0
    return new Counter({
      name: 'edgeward_scheduler_answers_total',
      help: 'Answers to clients, by outcome and property (empty when none was matched).',
      labelNames: ['outcome', 'property'],
      registers: [],
      collect() {
        this.reset()
        for (const [property, place] of places) {
          OUTCOMES.forEach((outcome, i) => {
            const count = countAt(place + i)
            if (count > 0) this.inc({ outcome, property }, count)
          })
        }
      },
    })
  }

  #locationsTotal(): Counter<'source'> {
    const located = this.#located
    return new Counter({
      name: 'edgeward_scheduler_locations_total',
      help: 'Clients located, by what told where they are.',
      labelNames: ['source'],
      registers: [],
      collect() {
        this.reset()
        located.forEach((count, i) => {
          if (count > 0) this.inc({ source: LOCATION_SOURCES[i] ?? '' }, count)
        })
      },
    })
  }
}

function bump(counts: Float64Array, place: number): void {
  counts[place] = (counts[place] ?? 0) + 1
}
