// The registry that several schedulers share: one key per edge with a lifetime, no shared list to race on.
// Own reports live in this process and are written through; other schedulers' are read twice a second. A
// slow or lost Redis costs nothing but news: what was last read is held, and nothing ever waits for it.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { z } from 'zod'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { edgeReportSchema } from '../../src/wire/report.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import {
  DOWN_AFTER_MS,
  REGISTRY_FIRST_READ_MS,
  REGISTRY_READ_EVERY_MS,
  REGISTRY_RECONNECT_MAX_MS,
  REGISTRY_TIMEOUT_MS,
  REGISTRY_WRITE_AFTER_MS,
} from '../limits.ts'
import type { Registry, RegistryStatus, SeenReport } from './registry.ts'

export interface RedisRegistryOptions {
  url: string
  cluster: string
  /** Ids of the configured edges: what is read, and the bound of everything kept. */
  edges: readonly string[]
  clock: Clock
  log: Logger
  background: Background
}

interface OwnReport {
  report: EdgeReport
  receivedAtMs: number
}

interface SharedReport extends OwnReport {
  /** As read, so that an unchanged value is not parsed again. */
  text: string
}

const storedSchema = z.object({
  /** The scheduler that wrote it: a scheduler does not take its own echo for news. */
  by: z.string(),
  report: edgeReportSchema,
})

const HEALTHY: RegistryStatus = { state: 'healthy' }

export class RedisRegistry implements Registry {
  readonly kind = 'redis'
  onChange: (() => void) | null = null
  readonly #options: RedisRegistryOptions
  readonly #redis: Redis
  readonly #self: string = randomUUID()
  readonly #keyPrefix: string
  readonly #own = new Map<string, OwnReport>()
  readonly #shared = new Map<string, SharedReport>()
  readonly #unwritten = new Map<string, OwnReport>()
  #view: ReadonlyMap<string, SeenReport> | null = null
  #readAtMs: number
  #heldReason: string | null = 'not read yet'
  #heldLogged = false
  readonly #looked = Promise.withResolvers<void>()
  #writeFailed = false
  #reading = false
  #writing = false
  #closed = false
  #writeTimer: NodeJS.Timeout | null = null
  readonly #readTimer: NodeJS.Timeout

  /** Gives a registry after its first read, or after a bounded wait without one. */
  static async open(options: RedisRegistryOptions): Promise<RedisRegistry> {
    const registry = new RedisRegistry(options)
    // Both a read and a failure end the wait.
    const timer = setTimeout(registry.#looked.resolve, REGISTRY_FIRST_READ_MS)
    registry.#redis.connect().catch((error: unknown) => registry.#hold(messageOf(error)))
    await registry.#looked.promise
    clearTimeout(timer)
    return registry
  }

  private constructor(options: RedisRegistryOptions) {
    this.#options = options
    this.#keyPrefix = `edgeward:{${options.cluster}}:edge:`
    this.#readAtMs = options.clock.monotonic()
    this.#redis = new Redis(options.url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 1,
      connectTimeout: REGISTRY_TIMEOUT_MS,
      connectionName: 'edgeward-scheduler',
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), REGISTRY_RECONNECT_MAX_MS),
    })
    // Without a listener an 'error' would end the process; the failing read tells the same.
    this.#redis.on('error', (error: Error) => this.#hold(messageOf(error)))
    this.#redis.on('close', () => this.#hold('connection lost'))
    this.#redis.on('ready', () => {
      this.#run('registry read', () => this.#read())
      this.#run('registry write', () => this.#write())
    })
    this.#readTimer = setInterval(
      () => this.#run('registry read', () => this.#read()),
      REGISTRY_READ_EVERY_MS,
    )
  }

  record(report: EdgeReport): void {
    const own = { report, receivedAtMs: this.#options.clock.monotonic() }
    this.#own.set(report.id, own)
    this.#unwritten.set(report.id, own)
    this.#scheduleWrite()
    this.#changed()
  }

  seen(): ReadonlyMap<string, SeenReport> {
    this.#view ??= this.#merge()
    return this.#view
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
    this.#redis.disconnect()
  }

  #run(name: string, work: () => Promise<void>): void {
    if (!this.#closed) this.#options.background(name, work())
  }

  async #read(): Promise<void> {
    // One read at a time: a slow Redis never has a queue of them.
    if (this.#reading || this.#redis.status !== 'ready') return
    this.#reading = true
    try {
      const sentAtMs = this.#options.clock.monotonic()
      const pipeline = this.#redis.pipeline()
      for (const id of this.#options.edges) pipeline.get(this.#keyPrefix + id).pttl(this.#keyPrefix + id)
      const results = await this.#inTime(succeeded(pipeline.exec()))
      if (this.#closed) return
      this.#resume(sentAtMs)
      this.#options.edges.forEach((id, index) => {
        this.#takeShared(id, results[2 * index], results[2 * index + 1], sentAtMs)
      })
      this.#readAtMs = sentAtMs
      this.#looked.resolve()
      this.#changed()
    } catch (error) {
      this.#hold(messageOf(error))
    } finally {
      this.#reading = false
    }
  }

  /** The lifetime that is left tells the report's age, so that no two clocks are compared. */
  #takeShared(id: string, text: unknown, leftMs: unknown, sentAtMs: number): void {
    // A missing key leaves the last report to age: it expired, or Redis was flushed and the next report heals it.
    if (typeof text !== 'string' || typeof leftMs !== 'number' || leftMs < 0) return
    const receivedAtMs = sentAtMs - Math.max(0, DOWN_AFTER_MS - leftMs)
    const known = this.#shared.get(id)
    if (known?.text === text) {
      known.receivedAtMs = receivedAtMs
      return
    }
    const stored = parseStored(text)
    if (stored === undefined || stored.report.id !== id) {
      this.#options.log.warn({ edge: id }, 'registry holds an unreadable report; ignored')
      return
    }
    if (stored.by !== this.#self) this.#shared.set(id, { report: stored.report, receivedAtMs, text })
  }

  async #write(): Promise<void> {
    this.#writeTimer = null
    if (this.#writing || this.#redis.status !== 'ready' || this.#unwritten.size === 0) return
    this.#writing = true
    const taken = [...this.#unwritten.values()]
    this.#unwritten.clear()
    try {
      const nowMs = this.#options.clock.monotonic()
      const pipeline = this.#redis.pipeline()
      for (const { report, receivedAtMs } of taken) {
        // What waited for a lost connection is stored as old as it is.
        const leftMs = Math.floor(DOWN_AFTER_MS - (nowMs - receivedAtMs))
        const text = JSON.stringify({ by: this.#self, report })
        if (leftMs > 0) pipeline.set(this.#keyPrefix + report.id, text, 'PX', leftMs)
      }
      await this.#inTime(succeeded(pipeline.exec()))
      if (this.#writeFailed) this.#options.log.info('registry is written again')
      this.#writeFailed = false
    } catch (error) {
      this.#writeFailedWith(error, taken)
    } finally {
      this.#writing = false
    }
    if (!this.#writeFailed && this.#unwritten.size > 0) this.#scheduleWrite()
  }

  /** Tried again with the next report or when Redis is back, unless a newer report has come. */
  #writeFailedWith(error: unknown, taken: readonly OwnReport[]): void {
    for (const own of taken) {
      if (!this.#unwritten.has(own.report.id)) this.#unwritten.set(own.report.id, own)
    }
    if (!this.#writeFailed && !this.#closed) {
      this.#options.log.warn({ reason: messageOf(error) }, 'registry cannot be written')
    }
    this.#writeFailed = true
  }

  #scheduleWrite(): void {
    if (this.#closed) return
    this.#writeTimer ??= setTimeout(
      () => this.#run('registry write', () => this.#write()),
      REGISTRY_WRITE_AFTER_MS,
    )
  }

  /** Past the bound the connection is dropped, and with it every command that waits on it. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#hold(`no answer within ${REGISTRY_TIMEOUT_MS} ms`)
      this.#redis.disconnect(true)
    }, REGISTRY_TIMEOUT_MS)
    try {
      return await work
    } finally {
      clearTimeout(timer)
    }
  }

  #hold(reason: string): void {
    if (this.#closed) return
    this.#heldReason = reason
    this.#looked.resolve()
    if (this.#heldLogged) return
    // One line however long it lasts.
    this.#heldLogged = true
    this.#options.log.warn({ reason }, 'registry cannot be read; other schedulers’ reports are held')
    this.#changed()
  }

  /** Held reports did not age while nothing could be read: their clocks go on from where they stood. */
  #resume(nowMs: number): void {
    if (this.#heldReason === null) return
    this.#heldReason = null
    this.#heldLogged = false
    const standstillMs = nowMs - this.#readAtMs
    for (const [id, shared] of this.#shared) {
      const own = this.#own.get(id)
      if (own !== undefined && own.receivedAtMs >= shared.receivedAtMs) this.#shared.delete(id)
      else shared.receivedAtMs += standstillMs
    }
    this.#options.log.info({ heldMs: Math.round(standstillMs) }, 'registry is read')
  }

  #changed(): void {
    this.#view = null
    this.onChange?.()
  }

  #merge(): ReadonlyMap<string, SeenReport> {
    const merged = new Map<string, SeenReport>()
    const heldAtMs = this.#heldReason === null ? null : this.#readAtMs
    for (const [id, { report, receivedAtMs }] of this.#shared) {
      merged.set(id, { report, receivedAtMs, heldAtMs })
    }
    for (const [id, own] of this.#own) {
      const shared = merged.get(id)
      if (shared === undefined || own.receivedAtMs >= shared.receivedAtMs) {
        merged.set(id, { ...own, heldAtMs: null })
      }
    }
    return merged
  }
}

/** The replies of a pipeline; rejects when any of its commands failed. */
async function succeeded(executed: Promise<[Error | null, unknown][] | null>): Promise<unknown[]> {
  const results = await executed
  if (results === null) throw new Error('the transaction was discarded')
  return results.map(([error, reply]) => {
    if (error !== null) throw error
    return reply
  })
}

function parseStored(text: string): z.infer<typeof storedSchema> | undefined {
  try {
    const parsed = storedSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
