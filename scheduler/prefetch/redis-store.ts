// The prefetches of schedulers that share a Redis: one hash of jobs; of each a list of chunks and what edges said, with a
// lifetime. Nothing of it is kept in this process, so that any scheduler answers for any of them.
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { prefetchProgressSchema } from '../../src/wire/prefetch.ts'
import type { PrefetchProgress } from '../../src/wire/prefetch.ts'
import { PREFETCH_DRAFT_MS, PREFETCH_KEPT_MS } from '../limits.ts'
import { redisProblem } from '../registry/redis-client.ts'
import type { RedisTarget } from '../registry/redis-client.ts'
import { RedisLink } from '../registry/redis-link.ts'
import { prefetchJobSchema } from './prefetch-job.ts'
import type { EdgeStanding, PrefetchJob } from './prefetch-job.ts'
import { StoreAwayError } from './prefetch-store.ts'
import type { PrefetchStore } from './prefetch-store.ts'

type Pipeline = Parameters<RedisLink['inTime']>[0]

const hashSchema = z.record(z.string(), z.string())
const standingSchema = prefetchProgressSchema.omit({ failures: true })
const failuresSchema = prefetchProgressSchema.shape.failures
const textSchema = z.string().nullable()

export class RedisPrefetchStore implements PrefetchStore {
  readonly #target: RedisTarget
  readonly #link: RedisLink
  /** In one slot with the registry's keys. */
  readonly #prefix: string
  #failure = 'not connected yet'

  constructor(target: RedisTarget, cluster: string, clock: Clock) {
    this.#target = target
    this.#prefix = `edgeward:{${cluster}}:`
    this.#link = new RedisLink(target, clock)
    // Without a listener an 'error' would end the process; whoever asks next hears of it.
    this.#link.client.on('error', (error: Error) => (this.#failure = redisProblem(error, target)))
    this.#link.client.connect().catch(() => {})
  }

  async appendChunk(id: string, chunk: string): Promise<void> {
    const key = this.#listKey(id)
    await this.#ask((pipeline) => pipeline.rpush(key, chunk).pexpire(key, PREFETCH_DRAFT_MS))
  }

  async dropList(id: string): Promise<void> {
    await this.#ask((pipeline) => pipeline.del(this.#listKey(id)))
  }

  async chunks(id: string, from: number, count: number): Promise<readonly string[]> {
    const [found] = await this.#ask((pipeline) => pipeline.lrange(this.#listKey(id), from, from + count - 1))
    return z.array(z.string()).parse(found)
  }

  async add(job: PrefetchJob): Promise<void> {
    await this.#ask((pipeline) =>
      pipeline
        .pexpire(this.#listKey(job.id), PREFETCH_KEPT_MS)
        .hset(this.#jobsKey, job.id, JSON.stringify(job)),
    )
  }

  async find(id: string): Promise<PrefetchJob | undefined> {
    const [found] = await this.#ask((pipeline) => pipeline.hget(this.#jobsKey, id))
    return jobIn(textSchema.parse(found))
  }

  async all(): Promise<readonly PrefetchJob[]> {
    const [found] = await this.#ask((pipeline) => pipeline.hgetall(this.#jobsKey))
    const jobs = Object.values(hashSchema.parse(found)).flatMap((text) => jobIn(text) ?? [])
    return jobs.toSorted((a, b) => a.atMs - b.atMs)
  }

  async remove(id: string): Promise<void> {
    await this.#ask((pipeline) =>
      pipeline.hdel(this.#jobsKey, id).del(this.#listKey(id), this.#standingKey(id), this.#failuresKey(id)),
    )
  }

  async cancel(id: string, atMs: number): Promise<void> {
    const job = await this.find(id)
    if (job === undefined || job.cancelledAtMs !== null) return
    await this.add({ ...job, cancelledAtMs: atMs })
  }

  async setProgress(id: string, edge: string, { failures, ...standing }: PrefetchProgress): Promise<void> {
    const [standingKey, failuresKey] = [this.#standingKey(id), this.#failuresKey(id)]
    await this.#ask((pipeline) => {
      pipeline.hset(standingKey, edge, JSON.stringify(standing)).pexpire(standingKey, PREFETCH_KEPT_MS)
      if (failures.length === 0) return
      pipeline.hset(failuresKey, edge, JSON.stringify(failures)).pexpire(failuresKey, PREFETCH_KEPT_MS)
    })
  }

  async standingOf(id: string): Promise<ReadonlyMap<string, EdgeStanding>> {
    const [found] = await this.#ask((pipeline) => pipeline.hgetall(this.#standingKey(id)))
    return mapOf(found, standingSchema)
  }

  async progressOf(id: string): Promise<ReadonlyMap<string, PrefetchProgress>> {
    const [standings, lists] = await this.#ask((pipeline) =>
      pipeline.hgetall(this.#standingKey(id)).hgetall(this.#failuresKey(id)),
    )
    const failures = mapOf(lists, failuresSchema)
    return new Map(
      [...mapOf(standings, standingSchema)].map(([edge, standing]) => [
        edge,
        { ...standing, failures: failures.get(edge) ?? [] },
      ]),
    )
  }

  async claim(name: string, forMs: number): Promise<number> {
    const key = this.#claimKey(name)
    const [taken, leftMs] = await this.#ask((pipeline) => pipeline.set(key, '1', 'PX', forMs, 'NX').pttl(key))
    // Without a lifetime it would be nobody's for good.
    return taken === 'OK' ? 0 : Math.min(forMs, Math.max(1, z.number().parse(leftMs)))
  }

  async giveUp(name: string): Promise<void> {
    await this.#ask((pipeline) => pipeline.del(this.#claimKey(name)))
  }

  async close(): Promise<void> {
    this.#link.client.disconnect()
  }

  async #ask(add: (pipeline: Pipeline) => unknown): Promise<unknown[]> {
    if (!this.#link.checkReady()) throw new StoreAwayError(`Redis cannot be used: ${this.#failure}`)
    const pipeline = this.#link.client.pipeline()
    add(pipeline)
    try {
      return await this.#link.inTime(pipeline)
    } catch (error) {
      throw new StoreAwayError(`Redis cannot be used: ${redisProblem(error, this.#target)}`, error)
    }
  }

  get #jobsKey(): string {
    return `${this.#prefix}prefetches`
  }

  #claimKey(name: string): string {
    return `${this.#prefix}claim:${name}`
  }

  #listKey(id: string): string {
    return `${this.#prefix}prefetch:${id}:list`
  }

  #standingKey(id: string): string {
    return `${this.#prefix}prefetch:${id}:standing`
  }

  #failuresKey(id: string): string {
    return `${this.#prefix}prefetch:${id}:failures`
  }
}

/** What a scheduler of another version wrote, or somebody else, is no job. */
function jobIn(text: string | null): PrefetchJob | undefined {
  return text === null ? undefined : prefetchJobSchema.safeParse(parseJson(text)).data
}

function mapOf<T>(hash: unknown, schema: z.ZodType<T>): Map<string, T> {
  const entries = Object.entries(hashSchema.parse(hash)).flatMap(([edge, text]): [string, T][] => {
    const parsed = schema.safeParse(parseJson(text))
    return parsed.success ? [[edge, parsed.data]] : []
  })
  return new Map(entries)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
