// The events of a lone scheduler, in this process. Those of an earlier life are gone: an edge that had heard of any asks
// anew for all that it has, since it may have missed some.
import assert from 'node:assert/strict'
import type { Clock } from '../../src/clock.ts'
import { eventIdParts } from '../../src/wire/events.ts'
import type { ClusterEvent, EventsReply, PurgeEvent } from '../../src/wire/events.ts'
import { Acknowledgements } from './acknowledgements.ts'
import type { EventLog, NewEvent } from './event-log.ts'
import { EventView } from './event-view.ts'

export class MemoryEventLog implements EventLog {
  readonly #clock: Clock
  readonly #view: EventView
  readonly #listeners = new Set<() => void>()
  readonly #acknowledgements = new Acknowledgements()

  constructor(clock: Clock) {
    this.#clock = clock
    // Ids of before are of an earlier life, and so is that of no event: an edge that was away may have missed some.
    this.#view = new EventView(`${Math.floor(clock.now())}-0`, false)
  }

  async append(event: NewEvent): Promise<ClusterEvent> {
    const atMs = this.#clock.now()
    const last = eventIdParts(this.#view.newest)
    const ms = Math.floor(atMs)
    const id = ms > last.ms ? `${ms}-0` : `${last.ms}-${last.number + 1}`
    const appended: ClusterEvent = { ...event, id, atMs }
    this.#view.extend([appended])
    this.#acknowledgements.begin([appended])
    for (const listener of this.#listeners) listener()
    return appended
  }

  after(id: string): EventsReply {
    return this.#view.after(id)
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  find(id: string): ClusterEvent | undefined {
    return this.#view.find(id)
  }

  purges(max: number): readonly PurgeEvent[] {
    return this.#view.purges(max)
  }

  /** No other acknowledges here. */
  setEdges(): void {}

  acknowledge(edge: string, id: string): void {
    this.#acknowledgements.take(edge, id, this.#clock.now(), this.#view)
  }

  acknowledgements(id: string): ReadonlyMap<string, number> {
    return this.#acknowledgements.of(id)
  }

  async close(): Promise<void> {
    assert(this.#listeners.size === 0, 'whoever waits has been answered')
  }
}
