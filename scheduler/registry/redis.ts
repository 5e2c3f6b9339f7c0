// The registry that several schedulers share: one key per edge with a lifetime, no shared list to race on, and one
// hash of overrides without. Own reports live in this process and are written through; all else is read twice a
// second. A slow or lost Redis costs nothing but news: what was last read is held, and nothing ever waits for it.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { EdgeOverride, OverrideKept, OverrideRequest } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { BoundedLog } from '../bounded-log.ts'
import {
  DOWN_AFTER_MS,
  REGISTRY_FIRST_READ_MS,
  REGISTRY_GRACE_MS,
  REGISTRY_READ_EVERY_MS,
  REGISTRY_WRITE_AFTER_MS,
} from '../limits.ts'
import { isRetired } from './instances.ts'
import { redisProblem } from './redis-client.ts'
import type { RedisTarget } from './redis-client.ts'
import { RedisLink } from './redis-link.ts'
import { RedisOverrides } from './redis-overrides.ts'
import { RedisPresence } from './redis-presence.ts'
import { KeptPlaces, withOverrides } from './registry.ts'
import type { EdgeList, RecordResult, Registry, RegistryStatus, SeenReport } from './registry.ts'
import { dropOutdated, freshest, mergeReports, shiftShared, takeShared } from './shared-reports.ts'
import type { OwnReport, SharedReport, StoredReport } from './shared-reports.ts'

export interface RedisRegistryOptions {
  redis: RedisTarget
  cluster: string
  /** Ids of the configured edges: what is read, and the bound of everything kept; setEdges replaces them. */
  edges: readonly string[]
  clock: Clock
  log: Logger
  background: Background
}

const CONNECTION_LOST = 'connection lost'
/** Said of whatever ends a connection; what came before says more. */
const VAGUE = new Set([CONNECTION_LOST, 'Connection is closed.', 'None of startup nodes is available'])

const HEALTHY: RegistryStatus = { state: 'healthy' }
const hashSchema = z.record(z.string(), z.string())

export class RedisRegistry implements Registry {
  readonly kind = 'redis'
  onChange: (() => void) | null = null
  readonly #options: RedisRegistryOptions
  readonly #link: RedisLink
  readonly #self: string = randomUUID()
  #edges: readonly string[]
  /** The braces keep all keys of a cluster of ours in one slot of a Redis Cluster, and so in one pipeline. */
  readonly #keyPrefix: string
  readonly #own = new Map<string, OwnReport>()
  readonly #shared = new Map<string, SharedReport>()
  readonly #unwritten = new Map<string, OwnReport>()
  readonly #overrides: RedisOverrides
  readonly #presence: RedisPresence
  readonly #warnings: BoundedLog
  #view: ReadonlyMap<string, SeenReport> | null = null
  readonly #places = new KeptPlaces()
  #readAtMs: number
  #wasRead = false
  /** Reads before this moment do not make a report older than it was. */
  #graceUntilMs = Number.NEGATIVE_INFINITY
  #heldReason: string | null = CONNECTION_LOST
  #heldLogged = false
  readonly #looked = Promise.withResolvers<void>()
  #writeFailed = false
  #reading = false
  #writing: Promise<void> | null = null
  #closed = false
  #writeTimer: NodeJS.Timeout | null = null
  readonly #readTimer: NodeJS.Timeout

  /** Gives a registry after its first read, or after a bounded wait without one. */
  static async open(options: RedisRegistryOptions): Promise<RedisRegistry> {
    const registry = new RedisRegistry(options)
    // Both a read and a failure end the wait.
    const timer = setTimeout(registry.#looked.resolve, REGISTRY_FIRST_READ_MS)
    registry.#link.client.connect().catch((error: unknown) => registry.#hold(registry.#problem(error)))
    await registry.#looked.promise
    clearTimeout(timer)
    return registry
  }

  private constructor(options: RedisRegistryOptions) {
    this.#options = options
    this.#edges = options.edges
    this.#keyPrefix = `edgeward:{${options.cluster}}:`
    this.#readAtMs = options.clock.monotonic()
    this.#overrides = new RedisOverrides(this.#self, options.edges)
    this.#warnings = new BoundedLog(options.clock, options.log)
    this.#presence = new RedisPresence(this.#self, this.#keyPrefix, this.#warnings)
    this.#link = new RedisLink(options.redis, options.clock)
    const { client } = this.#link
    // Without a listener an 'error' would end the process; the failing read tells the same.
    client.on('error', (error: Error) => this.#hold(this.#problem(error)))
    client.on('close', () => this.#hold(CONNECTION_LOST))
    client.on('ready', () => {
      this.#run('registry read', () => this.#read())
      this.#run('registry write', () => this.#write())
    })
    this.#readTimer = setInterval(
      () => this.#run('registry read', () => this.#read()),
      REGISTRY_READ_EVERY_MS,
    )
  }

  setEdges(ids: readonly string[]): void {
    const edges = new Set(ids)
    this.#edges = ids
    this.#overrides.setEdges(ids)
    for (const reports of [this.#own, this.#shared, this.#unwritten]) {
      for (const id of reports.keys()) if (!edges.has(id)) reports.delete(id)
    }
    this.#changed()
  }

  record(report: EdgeReport): RecordResult {
    const own = { report, receivedAtMs: this.#options.clock.monotonic() }
    const last = freshest(this.#own.get(report.id), this.#shared.get(report.id))
    if (isRetired(own, last)) return 'retired'
    this.#own.set(report.id, own)
    this.#unwritten.set(report.id, own)
    this.#scheduleWrite()
    this.#changed()
    return 'recorded'
  }

  seen(): ReadonlyMap<string, SeenReport> {
    const heldAtMs = this.#heldReason === null ? null : this.#readAtMs
    this.#view ??= withOverrides(mergeReports(this.#own, this.#shared, heldAtMs), this.overrides())
    return this.#view
  }

  seenBy(edges: EdgeList) {
    return this.#places.of(edges, this.seen())
  }

  overrides(): ReadonlyMap<string, EdgeOverride> {
    return this.#overrides.active
  }

  async setOverride(edge: string, wanted: OverrideRequest | null): Promise<OverrideKept> {
    this.#overrides.set(edge, wanted, this.#options.clock.now())
    this.#changed()
    // One that is under way took what was there when it began.
    await this.#writing
    await this.#write()
    return this.#overrides.isWritten(edge) ? 'store' : 'pending'
  }

  announce(addresses: readonly string[]): void {
    this.#presence.announce(addresses)
  }

  async withdraw(): Promise<void> {
    if (!this.#presence.leave() || !this.#link.checkReady()) return
    try {
      const pipeline = this.#link.client.pipeline()
      this.#presence.addWrites(pipeline)
      await this.#link.inTime(pipeline)
    } catch (error) {
      // Its key expires.
      this.#hold(this.#problem(error))
    }
  }

  schedulers(): readonly IpAddress[] {
    return this.#presence.named
  }

  status(): RegistryStatus {
    return this.#heldReason === null
      ? HEALTHY
      : { state: 'held', sinceMs: this.#readAtMs, reason: this.#heldReason }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.onChange = null
    clearInterval(this.#readTimer)
    if (this.#writeTimer !== null) clearTimeout(this.#writeTimer)
    await this.withdraw()
    this.#link.client.disconnect()
  }

  #run(name: string, work: () => Promise<void>): void {
    if (!this.#closed) this.#options.background(name, work())
  }

  async #read(): Promise<void> {
    // One read at a time: a slow Redis never has a queue of them.
    if (!this.#link.checkReady() || this.#reading) return
    this.#reading = true
    try {
      const { clock } = this.#options
      const edges = this.#edges
      const sentAtMs = clock.monotonic()
      const pipeline = this.#link.client.pipeline()
      // A store that refuses writes (full, or a replica now) is no news of others either: they cannot write theirs.
      this.#presence.addWrites(pipeline)
      const presenceAt = this.#presence.addReads(pipeline)
      const reportsAt = pipeline.length
      pipeline.hgetall(`${this.#keyPrefix}overrides`)
      for (const id of edges) pipeline.get(this.#reportKey(id)).pttl(this.#reportKey(id))
      const replies = await this.#link.inTime(pipeline)
      if (this.#closed) return
      this.#resume(sentAtMs)
      const inGrace = sentAtMs < this.#graceUntilMs
      this.#presence.takeReplies(replies.slice(presenceAt, reportsAt), clock.monotonic(), inGrace)
      const [hash, ...reports] = replies.slice(reportsAt)
      edges.forEach((id, i) => this.#takeShared(id, reports[2 * i], reports[2 * i + 1], sentAtMs))
      if (this.#overrides.takeStored(hashSchema.parse(hash))) this.#scheduleWrite()
      this.#readAtMs = sentAtMs
      this.#looked.resolve()
      this.#changed()
    } catch (error) {
      this.#hold(this.#problem(error))
    } finally {
      this.#reading = false
    }
  }

  #takeShared(id: string, text: unknown, leftMs: unknown, sentAtMs: number): void {
    const inGrace = sentAtMs < this.#graceUntilMs
    const slackMs = this.#link.slackMs()
    if (takeShared(this.#shared, id, this.#self, { text, leftMs, sentAtMs, slackMs, inGrace })) return
    this.#warnings.warn(id, { edge: id }, 'registry holds an unreadable report; ignored')
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
      if (!this.#writeFailed && this.#hasUnwritten()) this.#scheduleWrite()
    })
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    if (this.#writeTimer !== null) clearTimeout(this.#writeTimer)
    this.#writeTimer = null
    if (this.#closed || this.#link.client.status !== 'ready' || !this.#hasUnwritten()) return
    const reports = [...this.#unwritten.values()]
    this.#unwritten.clear()
    try {
      const nowMs = this.#options.clock.monotonic()
      const pipeline = this.#link.client.pipeline()
      // What waited for a lost connection is stored as old as it is.
      const fresh = reports.filter(({ receivedAtMs }) => nowMs - receivedAtMs < DOWN_AFTER_MS)
      for (const { report, receivedAtMs } of fresh) {
        const key = this.#reportKey(report.id)
        const text = JSON.stringify({ by: this.#self, report } satisfies StoredReport)
        const leftMs = Math.ceil(DOWN_AFTER_MS - (nowMs - receivedAtMs))
        // Read before it is overwritten: another process may report as this edge to another scheduler, and between two
        // writes of this one no read need ever fall.
        pipeline.get(key).pttl(key).set(key, text, 'PX', leftMs)
      }
      const overrides = this.#overrides.unwritten()
      for (const [id, text] of overrides) pipeline.hset(`${this.#keyPrefix}overrides`, id, text)
      const replies = await this.#link.inTime(pipeline)
      this.#takeOverwritten(fresh, replies, nowMs)
      this.#overrides.written(overrides)
      if (this.#writeFailed) this.#options.log.info('registry is written again')
      this.#writeFailed = false
    } catch (error) {
      this.#writeFailedWith(error, reports)
    }
  }

  /** Replies to GET, PTTL and SET of each. While a view is held, the next read sets its clocks on: nothing is added. */
  #takeOverwritten(written: readonly OwnReport[], replies: readonly unknown[], sentAtMs: number): void {
    if (this.#heldReason !== null) return
    written.forEach(({ report: { id } }, i) =>
      this.#takeShared(id, replies[3 * i], replies[3 * i + 1], sentAtMs),
    )
    this.#view = null
  }

  #hasUnwritten(): boolean {
    return this.#unwritten.size > 0 || this.#overrides.hasUnwritten
  }

  /** Tried again with the next report or when Redis is back, unless a newer report has come. */
  #writeFailedWith(error: unknown, taken: readonly OwnReport[]): void {
    for (const own of taken) {
      if (!this.#unwritten.has(own.report.id)) this.#unwritten.set(own.report.id, own)
    }
    if (!this.#writeFailed && !this.#closed) {
      this.#options.log.warn({ reason: this.#problem(error) }, 'registry cannot be written')
    }
    this.#writeFailed = true
  }

  #scheduleWrite(): void {
    if (this.#closed) return
    this.#writeTimer ??= setTimeout(() => {
      // Also when a write is under way, which begins none: its end asks for the next.
      this.#writeTimer = null
      this.#run('registry write', () => this.#write())
    }, REGISTRY_WRITE_AFTER_MS)
  }

  #hold(reason: string): void {
    if (this.#closed) return
    if (this.#heldReason === null || !VAGUE.has(reason)) this.#heldReason = reason
    this.#looked.resolve()
    // One line however long it lasts.
    if (this.#heldLogged) return
    this.#heldLogged = true
    this.#options.log.warn({ reason }, 'registry cannot be used; other schedulers’ reports are held')
    this.#changed()
  }

  /** Held reports did not age while nothing could be read: their clocks go on from where they stood. */
  #resume(nowMs: number): void {
    const standstillMs = nowMs - this.#readAtMs
    if (this.#heldReason === null) {
      // Other schedulers may find the store back later than this one.
      const graceMs = Math.min(nowMs, this.#graceUntilMs) - this.#readAtMs
      if (graceMs > 0) shiftShared(this.#shared, graceMs)
      return
    }
    this.#heldReason = null
    this.#heldLogged = false
    dropOutdated(this.#shared, this.#own)
    shiftShared(this.#shared, standstillMs)
    if (this.#wasRead) this.#graceUntilMs = nowMs + REGISTRY_GRACE_MS
    this.#wasRead = true
    this.#options.log.info({ heldMs: Math.round(standstillMs) }, 'registry is read')
  }

  #changed(): void {
    this.#view = null
    this.onChange?.()
  }

  #reportKey(edge: string): string {
    return `${this.#keyPrefix}edge:${edge}`
  }

  #problem(error: unknown): string {
    return redisProblem(error, this.#options.redis)
  }
}
