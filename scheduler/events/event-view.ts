// The events that a scheduler has in memory, in their order: what an edge is answered from. Bounded; it does no I/O.
import { EVENTS_AT_ONCE_MAX, NO_EVENT_YET, compareEventIds } from '../../src/wire/events.ts'
import type { ClusterEvent, EventsReply, PurgeEvent } from '../../src/wire/events.ts'
import { EVENTS_KEPT_MAX } from '../limits.ts'

export class EventView {
  #events: ClusterEvent[] = []
  /** Every event behind this id is here; of those before it, it is not known. */
  #completeFrom: string
  /** Nothing came before what is here: it can be told to an edge that has heard of no event at all. */
  #isWhole: boolean

  constructor(completeFrom: string, isWhole: boolean) {
    this.#completeFrom = completeFrom
    this.#isWhole = isWhole
  }

  /** Where the log stands. */
  get newest(): string {
    return this.#events.at(-1)?.id ?? (this.#isWhole ? NO_EVENT_YET : this.#completeFrom)
  }

  /** Later than the newest, in their order. */
  extend(events: readonly ClusterEvent[]): void {
    // Ids before the first are of an earlier life, but for that of no event.
    if (this.#isWhole && this.#events.length === 0) this.#completeFrom = events[0]?.id ?? this.#completeFrom
    this.#events.push(...events)
    if (this.#events.length <= EVENTS_KEPT_MAX) return
    const dropped = this.#events.splice(0, this.#events.length - EVENTS_KEPT_MAX / 2)
    this.#completeFrom = dropped.at(-1)?.id ?? this.#completeFrom
    this.#isWhole = false
  }

  after(id: string): EventsReply {
    const { newest } = this
    if (id === '') return { events: [], last: newest, gap: false }
    if (!this.#isKnown(id)) return { events: [], last: newest, gap: true }
    const first = this.#placeBehind(id)
    const events = this.#events.slice(first, first + EVENTS_AT_ONCE_MAX)
    return { events, last: events.at(-1)?.id ?? id, gap: false }
  }

  find(id: string): ClusterEvent | undefined {
    const event = this.#events[this.#placeBehind(id) - 1]
    return event?.id === id ? event : undefined
  }

  /** Those behind `after`, up to and with `upTo`; all that are kept for ''. */
  between(after: string, upTo: string = this.newest): readonly ClusterEvent[] {
    return this.#events.slice(after === '' ? 0 : this.#placeBehind(after), this.#placeBehind(upTo))
  }

  /** The newest first. */
  purges(max: number): PurgeEvent[] {
    return this.#events
      .filter((event) => event.kind === 'purge')
      .toReversed()
      .slice(0, max)
  }

  #isKnown(id: string): boolean {
    if (id === NO_EVENT_YET) return this.#isWhole
    return compareEventIds(id, this.#completeFrom) >= 0 && compareEventIds(id, this.newest) <= 0
  }

  /** Of the first event behind this id. */
  #placeBehind(id: string): number {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareEventIds(this.#events[middle]?.id ?? '', id) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
