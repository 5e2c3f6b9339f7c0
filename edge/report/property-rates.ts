// What is sent of those properties that the scheduler holds to a cap, since the last report.
import { REPORTED_PROPERTIES_MAX } from '../../src/wire/report.ts'
import type { PropertyRate } from '../../src/wire/report.ts'

export class PropertyRates {
  readonly #sentBytesOf: (property: string) => number
  /** Bounded by the properties that were asked for last. */
  #last: ReadonlyMap<string, number> = new Map()

  /** `sentBytesOf`: body bytes of a property, ever. */
  constructor(sentBytesOf: (property: string) => number) {
    this.#sentBytesOf = sentBytesOf
  }

  /** Of each that anything was sent of; of too many, the busiest. */
  take(properties: readonly string[], sinceMs: number): PropertyRate[] {
    const now = new Map(properties.map((id) => [id, this.#sentBytesOf(id)]))
    const rates = [...now].map(([id, bytes]) => {
      const sent = bytes - (this.#last.get(id) ?? bytes)
      return { id, bitRate: Math.round((sent * 8000) / sinceMs) }
    })
    this.#last = now
    return rates
      .filter(({ bitRate }) => bitRate > 0)
      .toSorted((a, b) => b.bitRate - a.bitRate)
      .slice(0, REPORTED_PROPERTIES_MAX)
  }
}
