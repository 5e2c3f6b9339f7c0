// The prefetches that this edge works on: those that the scheduler has for it when it starts, and what it hears of. Owns
// their runs.
import { setTimeout as wait } from 'node:timers/promises'
import type { Background } from '../../../src/background.ts'
import type { EdgeContext } from '../../exchange.ts'
import { PREFETCH_ASK_AGAIN_MS, PREFETCH_AT_ONCE } from '../../limits.ts'
import type { JobSource } from './job-source.ts'
import { JobRun } from './job-run.ts'
import type { JobCounters, JobDeps } from './job-run.ts'
import { Places } from './places.ts'

export interface PrefetchJobsDeps {
  readonly edge: EdgeContext
  readonly source: JobSource
  readonly background: Background
  readonly isBusy: () => boolean
  readonly counters: JobCounters
}

export class PrefetchJobs {
  readonly #deps: PrefetchJobsDeps
  readonly #job: JobDeps
  readonly #stopping = new AbortController()
  /** Of an id that is being asked about, no run yet. */
  readonly #runs = new Map<string, JobRun | null>()
  readonly #ending = new Set<Promise<void>>()

  constructor(deps: PrefetchJobsDeps) {
    this.#deps = deps
    const places = new Places(PREFETCH_AT_ONCE)
    const { edge, source, isBusy, counters } = deps
    this.#job = { edge, source, isBusy, counters, place: (signal) => places.take(signal) }
  }

  get running(): number {
    return this.#runs.size
  }

  /** Asks for all that there are for this edge. */
  start(): void {
    this.hear(null)
  }

  /** These were begun or cancelled; null: some may have been. */
  hear(ids: readonly string[] | null): void {
    if (this.#stopping.signal.aborted) return
    if (ids === null) this.#keep('ask for prefetches', this.#askForAll())
    else for (const id of ids) this.#look(id)
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    for (const run of this.#runs.values()) run?.stop()
    await Promise.all(this.#ending)
  }

  async #askForAll(): Promise<void> {
    for (const id of (await this.#untilAnswered(() => this.#deps.source.ids())) ?? []) this.#look(id)
  }

  #look(id: string): void {
    const run = this.#runs.get(id)
    // One that is being asked about is asked about as of now.
    if (run === null) return
    if (run === undefined) {
      this.#runs.set(id, null)
      this.#keep(
        'prefetch',
        this.#begin(id).finally(() => this.#runs.delete(id)),
      )
    } else this.#keep('prefetch', this.#stopIfGone(id, run))
  }

  async #begin(id: string): Promise<void> {
    const part = await this.#untilAnswered(() => this.#deps.source.part(id))
    if (part === undefined || part.state === 'gone' || part.progress?.state === 'done') return
    const run = new JobRun(id, part, this.#job)
    this.#runs.set(id, run)
    await this.#untilConfigured()
    if (this.#stopping.signal.aborted) return
    this.#deps.edge.log.info({ prefetch: id, urls: part.urls }, 'prefetch begun')
    await run.run()
  }

  async #stopIfGone(id: string, run: JobRun): Promise<void> {
    const part = await this.#untilAnswered(() => this.#deps.source.part(id))
    if (part?.state === 'gone') run.stop()
  }

  /** An edge that has no property yet would find none. */
  async #untilConfigured(): Promise<void> {
    const { signal } = this.#stopping
    while (this.#deps.edge.table.version === '' && !signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- reports fetch it
      await wait(PREFETCH_ASK_AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** undefined when the edge stops. */
  async #untilAnswered<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one question after the other
        return await ask()
      } catch {
        // Reports say that no scheduler answers.
        // oxlint-disable-next-line no-await-in-loop
        await wait(PREFETCH_ASK_AGAIN_MS, undefined, { signal }).catch(() => {})
      }
    }
    return undefined
  }

  #keep(name: string, work: Promise<void>): void {
    this.#ending.add(work)
    const ended = () => void this.#ending.delete(work)
    work.then(ended, ended)
    this.#deps.background(name, work)
  }
}
