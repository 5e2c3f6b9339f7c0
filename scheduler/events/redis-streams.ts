// The two streams of a cluster, as they are read and mended: whole, from where one stands, and put back after a loss.
// Bounded in time by the link; it remembers nothing.
import { z } from 'zod'
import { NO_EVENT_YET, eventIdSchema } from '../../src/wire/events.ts'
import type { ClusterEvent } from '../../src/wire/events.ts'
import { EVENTS_KEPT_MAX, EVENTS_READ_AT_ONCE, EVENTS_READ_HELD_MS } from '../limits.ts'
import type { RedisLink } from '../registry/redis-link.ts'
import { entriesSchema, eventFields, streamsSchema } from './redis-entries.ts'
import type { StreamEntry } from './redis-entries.ts'

export interface NextEntries {
  /** Whether the stream still has the entry that was read last. */
  readonly hasLast: boolean
  readonly events: readonly StreamEntry[]
  readonly acknowledged: readonly StreamEntry[]
}

/** What Redis says to an id that is not later than the last of the stream. */
const NOT_LATER = 'equal or smaller than the target stream top item'

const nextSchema = z.tuple([z.number(), entriesSchema, streamsSchema])

export class EventStreams {
  readonly eventsKey: string
  readonly acknowledgedKey: string
  readonly #link: RedisLink

  constructor(link: RedisLink, eventsKey: string, acknowledgedKey: string) {
    this.#link = link
    this.eventsKey = eventsKey
    this.acknowledgedKey = acknowledgedKey
  }

  /** Bounded by what is kept: MAXLEN. */
  async all(key: string): Promise<StreamEntry[]> {
    const entries: StreamEntry[] = []
    for (let from = '-'; ; from = `(${entries.at(-1)?.[0] ?? NO_EVENT_YET}`) {
      const pipeline = this.#link.client.pipeline().xrange(key, from, '+', 'COUNT', EVENTS_READ_AT_ONCE)
      // oxlint-disable-next-line no-await-in-loop -- each begins where the one before ended
      const [page] = z.tuple([entriesSchema]).parse(await this.#link.inTime(pipeline))
      entries.push(...page)
      if (page.length < EVENTS_READ_AT_ONCE) return entries
    }
  }

  /** What is behind these ids, as soon as there is something, or nothing after a while. */
  async next(event: string, acknowledged: string): Promise<NextEntries> {
    const { eventsKey, acknowledgedKey } = this
    const held = ['COUNT', EVENTS_READ_AT_ONCE, 'BLOCK', EVENTS_READ_HELD_MS] as const
    const pipeline = this.#link.client
      .pipeline()
      // A write, which what has become a replica refuses: nothing new would come from there.
      .xtrim(eventsKey, 'MAXLEN', '~', EVENTS_KEPT_MAX)
      .xrange(eventsKey, event, event)
      .xread(...held, 'STREAMS', eventsKey, acknowledgedKey, event, acknowledged)
    const [, last, streams] = nextSchema.parse(await this.#link.inTime(pipeline))
    const of = (key: string) => streams?.find(([name]) => name === key)?.[1] ?? []
    return {
      hasLast: event === NO_EVENT_YET || last.length > 0,
      events: of(eventsKey),
      acknowledged: of(acknowledgedKey),
    }
  }

  /**
   * With the ids they had, where nothing later has come since; each scheduler does so with what it knows. What was
   * appended here and finds its place taken becomes a new event: nobody else may know it. Gives the ids of those.
   */
  async putBack(lost: readonly ClusterEvent[], own: ReadonlySet<string>): Promise<string[]> {
    const again: string[] = []
    for (let first = 0; first < lost.length; first += EVENTS_READ_AT_ONCE) {
      const batch = lost.slice(first, first + EVENTS_READ_AT_ONCE)
      // oxlint-disable-next-line no-await-in-loop -- in their order
      const missing = await this.#putBackAtOnce(batch)
      for (const event of missing) {
        // oxlint-disable-next-line no-await-in-loop
        if (own.has(event.id)) again.push(await this.#append(event))
      }
    }
    return again
  }

  /** Gives those that could not be. */
  async #putBackAtOnce(events: readonly ClusterEvent[]): Promise<ClusterEvent[]> {
    const key = this.eventsKey
    const pipeline = this.#link.client.pipeline()
    for (const event of events) {
      pipeline.xadd(key, 'MAXLEN', '~', EVENTS_KEPT_MAX, event.id, ...eventFields(event))
      pipeline.xrange(key, event.id, event.id)
    }
    const results = await this.#link.eachInTime(pipeline)
    for (const [error] of results) if (error !== null && !error.message.includes(NOT_LATER)) throw error
    return events.filter((_event, i) => entriesSchema.parse(results[2 * i + 1]?.[1]).length === 0)
  }

  async #append(event: ClusterEvent): Promise<string> {
    const pipeline = this.#link.client
      .pipeline()
      .xadd(this.eventsKey, 'MAXLEN', '~', EVENTS_KEPT_MAX, '*', ...eventFields(event))
    const [id] = z.tuple([eventIdSchema]).parse(await this.#link.inTime(pipeline))
    return id
  }
}
