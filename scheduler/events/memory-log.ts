// The events of a lone scheduler, in this process. Those of an earlier life are gone: an edge that had heard of any asks
// anew for all that it has, since it may have missed some.
import assert from 'node:assert/strict'
import type { Clock } from '../../src/clock.ts'
import { EVENTS_AT_ONCE_MAX, compareEventIds } from '../../src/wire/events.ts'
import type { ClusterEvent, EventsReply } from '../../src/wire/events.ts'
import { EVENTS_ACKNOWLEDGED_MAX, EVENTS_KEPT_MAX } from '../limits.ts'
import type { EventLog, NewEvent } from './event-log.ts'

export class MemoryEventLog implements EventLog {
  readonly #clock: Clock
  /** Where this life begins: no event has it. */
  readonly #start: string
  #events: ClusterEvent[] = []
  /** The last that was dropped, or where it began. */
  #droppedUpTo: string
  readonly #listeners = new Set<() => void>()
  readonly #acknowledged = new Map<string, string>()
  /** By event, of the latest so many. */
  readonly #times = new Map<string, Map<string, number>>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#start = `${Math.floor(clock.now())}-0`
    this.#droppedUpTo = this.#start
  }

  async append(event: NewEvent): Promise<ClusterEvent> {
    const atMs = this.#clock.now()
    const [lastMs = 0, lastNumber = 0] = this.#newest().split('-').map(Number)
    const ms = Math.floor(atMs)
    const id = ms > lastMs ? `${ms}-0` : `${lastMs}-${lastNumber + 1}`
    const appended: ClusterEvent = { ...event, id, atMs }
    this.#events.push(appended)
    this.#times.set(id, new Map())
    if (this.#times.size > EVENTS_ACKNOWLEDGED_MAX) {
      const [oldest = ''] = this.#times.keys()
      this.#times.delete(oldest)
    }
    if (this.#events.length > EVENTS_KEPT_MAX) {
      const dropped = this.#events.splice(0, this.#events.length - EVENTS_KEPT_MAX / 2)
      this.#droppedUpTo = dropped.at(-1)?.id ?? this.#droppedUpTo
    }
    for (const listener of this.#listeners) listener()
    return appended
  }

  after(id: string): EventsReply {
    const newest = this.#events.length === 0 ? '' : this.#newest()
    if (id === '') return { events: [], last: newest, gap: false }
    const isKnown = compareEventIds(id, this.#droppedUpTo) >= 0 && compareEventIds(id, this.#newest()) <= 0
    if (!isKnown) return { events: [], last: this.#newest(), gap: true }
    const events = this.#events.slice(this.#placeBehind(id)).slice(0, EVENTS_AT_ONCE_MAX)
    return { events, last: events.at(-1)?.id ?? id, gap: false }
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  find(id: string): ClusterEvent | undefined {
    const event = this.#events[this.#placeBehind(id) - 1]
    return event?.id === id ? event : undefined
  }

  acknowledge(edge: string, id: string): void {
    const before = this.#acknowledged.get(edge)
    if (before === id) return
    this.#acknowledged.set(edge, id)
    const nowMs = this.#clock.now()
    const first = before === undefined ? 0 : this.#placeBehind(before)
    for (const event of this.#events.slice(first, this.#placeBehind(id))) {
      const times = this.#times.get(event.id)
      if (times !== undefined && !times.has(edge)) times.set(edge, nowMs)
    }
  }

  acknowledgements(id: string): ReadonlyMap<string, number> {
    return this.#times.get(id) ?? new Map()
  }

  async close(): Promise<void> {
    assert(this.#listeners.size === 0, 'whoever waits has been answered')
  }

  #newest(): string {
    return this.#events.at(-1)?.id ?? this.#droppedUpTo
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
