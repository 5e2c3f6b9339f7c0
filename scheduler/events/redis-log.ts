// The events of schedulers that share a Redis: one stream, whose ids are the order, and one beside it of what edges
// acknowledged. Both are followed on a connection of their own, so that what another scheduler appends is here within
// milliseconds. Edges are answered from memory; while Redis is away, nothing is appended and nothing is forgotten.
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { NO_EVENT_YET, compareEventIds, eventIdParts, eventIdSchema } from '../../src/wire/events.ts'
import type { ClusterEvent, EventsReply, PurgeEvent } from '../../src/wire/events.ts'
import { BoundedLog } from '../bounded-log.ts'
import {
  EVENTS_KEPT_MAX,
  EVENTS_PUT_BACK_MS,
  EVENTS_READ_AGAIN_MS,
  EVENTS_READ_AT_ONCE,
  EVENT_IDS_AHEAD_MAX,
  REGISTRY_FIRST_READ_MS,
  REGISTRY_TIMEOUT_MS,
} from '../limits.ts'
import { redisProblem } from '../registry/redis-client.ts'
import type { RedisTarget } from '../registry/redis-client.ts'
import { RedisLink } from '../registry/redis-link.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { NotAppendedError } from './event-log.ts'
import type { EventLog, NewEvent } from './event-log.ts'
import { EventView } from './event-view.ts'
import { AcknowledgementWriter } from './redis-acknowledgements.ts'
import { eventFields, parseAcknowledgements, parseEvent } from './redis-entries.ts'
import type { StreamEntry } from './redis-entries.ts'
import { EventStreams } from './redis-streams.ts'

export interface RedisEventLogOptions {
  redis: RedisTarget
  cluster: string
  /** Ids of the configured edges: acknowledgements of others are not kept. */
  edges: readonly string[]
  clock: Clock
  log: Logger
  background: Background
}

/**
 * lost: what came since the connection went is not known. emptied: the connection lasted, but the stream no longer has
 * what was read last. following: what is in the stream is here.
 */
type Standing = 'lost' | 'emptied' | 'following'

const appendedSchema = z.tuple([eventIdSchema])

export class RedisEventLog implements EventLog {
  readonly #options: RedisEventLogOptions
  #edges: ReadonlySet<string>
  /** For what is answered at once. */
  readonly #link: RedisLink
  /** Held by Redis until something comes. */
  readonly #following: RedisLink
  readonly #streams: EventStreams
  readonly #writer: AcknowledgementWriter
  readonly #warnings: BoundedLog
  readonly #acknowledgements = new Acknowledgements()
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #opened = Promise.withResolvers<void>()
  /** null until the stream was read for the first time. */
  #view: EventView | null = null
  #standing: Standing = 'lost'
  /** The last entry that was read, whether it could be understood or not. */
  #readUpTo = NO_EVENT_YET
  #acknowledgedUpTo = NO_EVENT_YET
  /** What was appended here: a store that lost its latest entries is told them again. */
  readonly #own = new Set<string>()
  /** Ids that edges named and that are not read yet, by the read that was under way then. */
  readonly #ahead = new Map<string, number>()
  #reads = 0
  #failure: string | null = 'not connected yet'
  #failureLogged = false
  #running: Promise<void> = Promise.resolve()

  /** Gives a log after its first read, or after a bounded wait without one. */
  static async open(options: RedisEventLogOptions): Promise<RedisEventLog> {
    const log = new RedisEventLog(options)
    log.#running = log.#follow()
    options.background('follow events', log.#running)
    const timer = setTimeout(log.#opened.resolve, REGISTRY_FIRST_READ_MS)
    await log.#opened.promise
    clearTimeout(timer)
    return log
  }

  private constructor(options: RedisEventLogOptions) {
    const { redis, cluster, edges, clock, log, background } = options
    this.#options = options
    this.#edges = new Set(edges)
    this.#warnings = new BoundedLog(clock, log)
    this.#link = new RedisLink(redis, clock)
    this.#following = new RedisLink(redis, clock)
    // In one slot with the registry's keys.
    const prefix = `edgeward:{${cluster}}:`
    this.#streams = new EventStreams(this.#following, `${prefix}events`, `${prefix}acknowledged`)
    const key = this.#streams.acknowledgedKey
    this.#writer = new AcknowledgementWriter({ link: this.#link, key, clock, background })
    // Without a listener an 'error' would end the process; what follows meets the same.
    this.#link.client.on('error', (error: Error) => (this.#failure = redisProblem(error, redis)))
    this.#link.client.on('ready', () => this.#writer.schedule())
    this.#link.client.connect().catch(() => {})
    this.#following.client.on('error', (error: Error) => this.#failed(error))
    this.#following.client.on('close', () => (this.#standing = 'lost'))
    this.#following.client.connect().catch((error: unknown) => this.#failed(error))
  }

  async append(event: NewEvent): Promise<ClusterEvent> {
    // What the store may have lost is put back first, so that the order stays what it was.
    if (!this.#link.checkReady() || this.#standing !== 'following') {
      throw new NotAppendedError('refused', `Redis cannot be used: ${this.#failure ?? 'it is read anew'}`)
    }
    const key = this.#streams.eventsKey
    const pipeline = this.#link.client
      .pipeline()
      .xadd(key, 'MAXLEN', '~', EVENTS_KEPT_MAX, '*', ...eventFields(event))
    try {
      const [id] = appendedSchema.parse(await this.#link.inTime(pipeline))
      this.#keepOwn(id)
      await this.#untilRead(id)
      return { ...event, id, atMs: eventIdParts(id).ms }
    } catch (error) {
      const outcome = isRefusal(error) ? 'refused' : 'unanswered'
      throw new NotAppendedError(outcome, redisProblem(error, this.#options.redis))
    }
  }

  after(id: string): EventsReply {
    // Until anything is known: an edge goes on from where it stands, and one that stands nowhere from the beginning.
    if (this.#view === null) return { events: [], last: id === '' ? NO_EVENT_YET : id, gap: false }
    if (id !== '' && this.#mayCome(id)) return { events: [], last: id, gap: false }
    return this.#view.after(id)
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  find(id: string): ClusterEvent | undefined {
    return this.#view?.find(id)
  }

  purges(max: number): readonly PurgeEvent[] {
    return this.#view?.purges(max) ?? []
  }

  setEdges(ids: readonly string[]): void {
    this.#edges = new Set(ids)
  }

  acknowledge(edge: string, id: string): void {
    if (id !== NO_EVENT_YET) this.#writer.add(edge, id)
  }

  acknowledgements(id: string): ReadonlyMap<string, number> {
    return this.#acknowledgements.of(id)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#writer.close()
    this.#link.client.disconnect()
    this.#following.client.disconnect()
    await this.#running
  }

  /**
   * An edge may have heard of an event from another scheduler before this one has: it is a gap only when a whole read
   * since then has not brought it.
   */
  #mayCome(id: string): boolean {
    if (this.#view === null || compareEventIds(id, this.#view.newest) <= 0) return false
    const first = this.#ahead.get(id)
    if (first !== undefined) return this.#reads < first + 2
    if (this.#ahead.size >= EVENT_IDS_AHEAD_MAX) this.#ahead.clear()
    this.#ahead.set(id, this.#reads)
    return true
  }

  /** Own events are read as those of others are, in the one order; whoever asks for one next shall find it. */
  async #untilRead(id: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (compareEventIds(this.#readUpTo, id) >= 0) resolve()
    }
    const stop = this.onAppend(look)
    const timer = setTimeout(resolve, REGISTRY_TIMEOUT_MS)
    look()
    await promise
    clearTimeout(timer)
    stop()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        const isLinked = this.#link.checkReady()
        // Before the first read for both: whoever follows can append.
        const isReady = this.#following.checkReady() && (isLinked || this.#standing === 'following')
        // oxlint-disable-next-line no-await-in-loop -- one read after the other
        await (isReady ? this.#read() : this.#pause())
      } catch (error) {
        this.#standing = 'lost'
        this.#failed(error)
        // oxlint-disable-next-line no-await-in-loop
        await this.#pause()
      }
    }
  }

  async #read(): Promise<void> {
    if (this.#standing !== 'following') await this.#readAnew()
    const { hasLast, events, acknowledged } = await this.#streams.next(this.#readUpTo, this.#acknowledgedUpTo)
    if (!hasLast) {
      this.#standing = 'emptied'
      return
    }
    this.#takeEvents(events)
    // Those of events that are not read yet are read again after them.
    if (events.length < EVENTS_READ_AT_ONCE) this.#takeAcknowledged(acknowledged)
    this.#reads++
    if (this.#ahead.size > 0) this.#tell()
    for (const [id, first] of this.#ahead) if (this.#reads > first + 4) this.#ahead.delete(id)
  }

  /** All that the stream has, after putting back what it lost. */
  async #readAnew(): Promise<void> {
    let entries = await this.#streams.all(this.#streams.eventsKey)
    const lost = this.#lostFrom(entries)
    if (lost.length > 0) {
      this.#options.log.warn({ events: lost.length }, 'Redis has lost events; they are put back')
      for (const id of await this.#streams.putBack(lost, this.#own)) this.#keepOwn(id)
      entries = await this.#streams.all(this.#streams.eventsKey)
    }
    const first = entries[0]?.[0]
    this.#view = this.#viewFrom(first)
    this.#takeEvents(entries)
    this.#readUpTo = entries.at(-1)?.[0] ?? NO_EVENT_YET
    this.#takeAcknowledged(await this.#streams.all(this.#streams.acknowledgedKey))
    this.#writer.repeat()
    this.#standing = 'following'
    if (this.#failureLogged) this.#options.log.info('events are followed again')
    this.#failure = null
    this.#failureLogged = false
    this.#opened.resolve()
    this.#tell()
  }

  /** What a flush or a failover took: all that was later than the last there is, and what was appended here of late. */
  #lostFrom(entries: readonly StreamEntry[]): readonly ClusterEvent[] {
    const last = entries.at(-1)?.[0] ?? NO_EVENT_YET
    const sinceMs = eventIdParts(last).ms - EVENTS_PUT_BACK_MS
    const kept = new Set(entries.map(([id]) => id))
    const isLost = ({ id, atMs }: ClusterEvent) =>
      !kept.has(id) && (compareEventIds(id, last) > 0 || (this.#own.has(id) && atMs > sinceMs))
    return this.#view?.between('').filter(isLost) ?? []
  }

  /** The one there is, unless entries may be missing between it and the first of the stream. */
  #viewFrom(first: string | undefined): EventView {
    const view = this.#view
    if (view !== null) {
      const isContinued = first === undefined || compareEventIds(first, view.newest) <= 0
      if (isContinued || this.#standing === 'emptied') return view
      this.#options.log.warn({ newest: view.newest, first }, 'events were missed while Redis was away')
    }
    this.#readUpTo = NO_EVENT_YET
    return new EventView(first ?? NO_EVENT_YET, first === undefined)
  }

  /** In their order, and nothing left out between what was read and the first of them. */
  #takeEvents(entries: readonly StreamEntry[]): void {
    const fresh = entries.filter(([id]) => compareEventIds(id, this.#readUpTo) > 0)
    const events = fresh.flatMap((entry) => {
      const event = parseEvent(entry)
      if (event === undefined) this.#warnings.warn('event', { entry: entry[0] }, 'no event; ignored')
      return event ?? []
    })
    this.#readUpTo = fresh.at(-1)?.[0] ?? this.#readUpTo
    if (events.length === 0) return
    this.#view?.extend(events)
    this.#acknowledgements.begin(events)
    this.#tell()
  }

  #takeAcknowledged(entries: readonly StreamEntry[]): void {
    this.#acknowledgedUpTo = entries.at(-1)?.[0] ?? this.#acknowledgedUpTo
    for (const entry of entries) {
      const parsed = parseAcknowledgements(entry)
      if (parsed === undefined) {
        this.#warnings.warn('acknowledged', { entry: entry[0] }, 'no acknowledgement; ignored')
      }
      for (const { edge, id, atMs } of parsed ?? []) {
        if (this.#view !== null && this.#edges.has(edge)) {
          this.#acknowledgements.take(edge, id, atMs, this.#view)
        }
      }
    }
  }

  #keepOwn(id: string): void {
    this.#own.add(id)
    if (this.#own.size <= EVENTS_KEPT_MAX) return
    const [oldest = ''] = this.#own
    this.#own.delete(oldest)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Until there is a connection, or for a while. */
  async #pause(): Promise<void> {
    const ready = new AbortController()
    const wake = () => ready.abort()
    const clients = [this.#link.client, this.#following.client]
    for (const client of clients) client.once('ready', wake)
    const signal = AbortSignal.any([ready.signal, this.#closing.signal])
    await wait(EVENTS_READ_AGAIN_MS, undefined, { signal }).catch(() => {})
    for (const client of clients) client.off('ready', wake)
  }

  /** One line however long it lasts. */
  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.#failure = redisProblem(error, this.#options.redis)
    this.#opened.resolve()
    if (this.#failureLogged) return
    this.#failureLogged = true
    this.#options.log.warn({ reason: this.#failure }, 'events cannot be followed; none is taken meanwhile')
  }
}

/** By Redis itself: the command was not carried out. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}
