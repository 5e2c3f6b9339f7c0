// What all edges are told, in one order: purges, and what else changes at once. The interface that memory-log.ts and
// redis-log.ts implement; reading never waits for anyone.
import type { ClusterEvent, EventsReply, PurgeEvent } from '../../src/wire/events.ts'

/** Before it has its place in the order. */
export type NewEvent = Unplaced<ClusterEvent>

/** Of each kind by itself. */
type Unplaced<Event> = Event extends ClusterEvent ? Omit<Event, 'id' | 'atMs'> : never

export interface EventLog {
  /** Gives it its id; every edge that asks will hear of it. Rejects with NotAppendedError when it cannot be kept. */
  append(event: NewEvent): Promise<ClusterEvent>
  /** What is behind an id, or where the log stands for ''. Of an id that it does not know: a gap. */
  after(id: string): EventsReply
  /** Called after events have come in, here or at another scheduler, until the returned function is called. */
  onAppend(listener: () => void): () => void
  /** The event, as long as it is kept. */
  find(id: string): ClusterEvent | undefined
  /** Of those that are kept, the newest first. */
  purges(max: number): readonly PurgeEvent[]
  /** Replaces the configured edges: what others acknowledged elsewhere is not kept. */
  setEdges(ids: readonly string[]): void
  /** An edge has applied everything up to this id. */
  acknowledge(edge: string, id: string): void
  /** Milliseconds since the epoch at which each edge acknowledged the event, at whichever scheduler. */
  acknowledgements(id: string): ReadonlyMap<string, number>
  close(): Promise<void>
}

/** refused: edges will not hear of it. unanswered: they may, or may not. */
export type NotAppended = 'refused' | 'unanswered'

export class NotAppendedError extends Error {
  readonly outcome: NotAppended

  constructor(outcome: NotAppended, reason: string) {
    super(reason)
    this.name = 'NotAppendedError'
    this.outcome = outcome
  }
}
