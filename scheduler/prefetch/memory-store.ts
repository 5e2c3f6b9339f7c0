// The prefetches of a lone scheduler, in this process. Bounded by whoever adds (prefetches.ts).
import type { Clock } from '../../src/clock.ts'
import type { PrefetchProgress } from '../../src/wire/prefetch.ts'
import type { EdgeStanding, PrefetchJob } from './prefetch-job.ts'
import type { PrefetchStore } from './prefetch-store.ts'

export class MemoryPrefetchStore implements PrefetchStore {
  readonly #clock: Clock
  readonly #jobs = new Map<string, PrefetchJob>()
  readonly #lists = new Map<string, string[]>()
  readonly #progress = new Map<string, Map<string, PrefetchProgress>>()
  /** Name → until when, of the monotonic clock. */
  readonly #claims = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async appendChunk(id: string, chunk: string): Promise<void> {
    const list = this.#lists.get(id)
    if (list === undefined) this.#lists.set(id, [chunk])
    else list.push(chunk)
  }

  async dropList(id: string): Promise<void> {
    this.#lists.delete(id)
  }

  async chunks(id: string, from: number, count: number): Promise<readonly string[]> {
    return this.#lists.get(id)?.slice(from, from + count) ?? []
  }

  async add(job: PrefetchJob): Promise<void> {
    this.#jobs.set(job.id, job)
  }

  async find(id: string): Promise<PrefetchJob | undefined> {
    return this.#jobs.get(id)
  }

  async all(): Promise<readonly PrefetchJob[]> {
    return [...this.#jobs.values()].toSorted((a, b) => a.atMs - b.atMs)
  }

  async remove(id: string): Promise<void> {
    this.#jobs.delete(id)
    this.#lists.delete(id)
    this.#progress.delete(id)
  }

  async cancel(id: string, atMs: number): Promise<void> {
    const job = this.#jobs.get(id)
    if (job !== undefined) this.#jobs.set(id, { ...job, cancelledAtMs: job.cancelledAtMs ?? atMs })
  }

  async setProgress(id: string, edge: string, progress: PrefetchProgress): Promise<void> {
    if (!this.#jobs.has(id)) return
    const said = this.#progress.get(id) ?? new Map<string, PrefetchProgress>()
    this.#progress.set(id, said.set(edge, progress))
  }

  async standingOf(id: string): Promise<ReadonlyMap<string, EdgeStanding>> {
    return this.progressOf(id)
  }

  async progressOf(id: string): Promise<ReadonlyMap<string, PrefetchProgress>> {
    return new Map(this.#progress.get(id))
  }

  async claim(name: string, forMs: number): Promise<number> {
    const nowMs = this.#clock.monotonic()
    const leftMs = (this.#claims.get(name) ?? nowMs) - nowMs
    if (leftMs > 0) return leftMs
    this.#claims.set(name, nowMs + forMs)
    return 0
  }

  async giveUp(name: string): Promise<void> {
    this.#claims.delete(name)
  }

  async close(): Promise<void> {}
}
