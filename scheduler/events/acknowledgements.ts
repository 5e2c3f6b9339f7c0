// When each edge acknowledged each of the latest events. It does no I/O; the logs feed it.
import type { ClusterEvent } from '../../src/wire/events.ts'
import { EVENTS_ACKNOWLEDGED_MAX } from '../limits.ts'
import type { EventView } from './event-view.ts'

const NONE: ReadonlyMap<string, number> = new Map()

export class Acknowledgements {
  /** By edge, the last event. */
  readonly #last = new Map<string, string>()
  /** By event. */
  readonly #times = new Map<string, Map<string, number>>()

  begin(events: readonly ClusterEvent[]): void {
    for (const { id } of events) if (!this.#times.has(id)) this.#times.set(id, new Map())
    for (const id of this.#times.keys()) {
      if (this.#times.size <= EVENTS_ACKNOWLEDGED_MAX) return
      this.#times.delete(id)
    }
  }

  /** What lies between an edge's last word and this one, it has applied by now. Its first time counts. */
  take(edge: string, id: string, atMs: number, view: EventView): void {
    const before = this.#last.get(edge) ?? ''
    if (before === id) return
    this.#last.set(edge, id)
    for (const event of view.between(before, id)) {
      const times = this.#times.get(event.id)
      if (times !== undefined && !times.has(edge)) times.set(edge, atMs)
    }
  }

  of(id: string): ReadonlyMap<string, number> {
    return this.#times.get(id) ?? NONE
  }
}
