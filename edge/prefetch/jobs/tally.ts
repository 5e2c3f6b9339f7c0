// What one prefetch has come to at this edge: counts, the first failures, and where to go on after a restart. Pure but for
// its clock.
import type { Clock } from '../../../src/clock.ts'
import {
  NO_COUNTS,
  PREFETCH_FAILED_CHARS_MAX,
  PREFETCH_FAILURES_TOLD_MAX,
} from '../../../src/wire/prefetch.ts'
import type {
  FailedObject,
  PrefetchCheckpoint,
  PrefetchCounts,
  PrefetchProgress,
  PrefetchUrl,
} from '../../../src/wire/prefetch.ts'
import type { FailedBringing } from './bring-object.ts'

/** Bits a second are a mean over about this time. */
const RATE_OVER_MS = 3000

type Counted = 'fetched' | 'present' | 'failed'

export class Tally {
  state: PrefetchProgress['state'] = 'queued'
  readonly #clock: Clock
  #counts: PrefetchCounts
  readonly #failures: FailedObject[]
  #checkpoint: PrefetchCheckpoint
  #bitRate = 0
  /** Since the rate was last worked out. */
  #newBytes = 0
  #ratedMs: number
  /** When it began to work, or was last looked at; null: it waits. */
  #workingMs: number | null = null

  /** `urls`: of this edge's part. `before`: what an earlier life of the edge said. */
  constructor(clock: Clock, urls: number, before: PrefetchProgress | null) {
    this.#clock = clock
    this.#ratedMs = clock.monotonic()
    this.#checkpoint = before?.checkpoint ?? { from: 0, counts: { ...NO_COUNTS, known: urls }, failures: 0 }
    this.#counts = this.#checkpoint.counts
    this.#failures = before?.failures.slice(0, this.#checkpoint.failures) ?? []
  }

  /** Where the list goes on. */
  get from(): number {
    return this.#checkpoint.from
  }

  /** Time that passes from now on is work, or is not. */
  work(isWorking: boolean): void {
    const nowMs = this.#clock.monotonic()
    if (this.#workingMs !== null) this.#add({ workedMs: nowMs - this.#workingMs })
    this.#workingMs = isWorking ? nowMs : null
  }

  bytes(count: number): void {
    this.#newBytes += count
    this.#add({ bytes: count })
  }

  /** A playlist names these. */
  found(objects: number, elsewhere: number): void {
    this.#add({ known: objects, elsewhere })
  }

  settled(as: Counted): void {
    this.#add({ [as]: 1 })
  }

  failed({ property, path }: PrefetchUrl, { reason, detail }: FailedBringing): void {
    this.settled('failed')
    if (this.#failures.length >= PREFETCH_FAILURES_TOLD_MAX) return
    this.#failures.push({ property, path: path.slice(0, PREFETCH_FAILED_CHARS_MAX), reason, detail })
  }

  urlDone(): void {
    this.#add({ urls: 1 })
  }

  /** Everything before this place of the list is dealt with. */
  reached(from: number): void {
    this.#checkpoint = { from, counts: this.#counts, failures: this.#failures.length }
  }

  done(): void {
    this.work(false)
    this.state = 'done'
    this.#newBytes = 0
    this.#bitRate = 0
    // Had the configuration changed meanwhile, its part may be another than it was told.
    const { fetched, present, failed } = this.#counts
    this.#counts = { ...this.#counts, known: fetched + present + failed }
  }

  progress(): PrefetchProgress {
    this.work(this.#workingMs !== null)
    return {
      state: this.state,
      counts: this.#counts,
      bitRate: this.#rate(),
      failures: [...this.#failures],
      checkpoint: this.#checkpoint,
    }
  }

  #rate(): number {
    const nowMs = this.#clock.monotonic()
    const sinceMs = nowMs - this.#ratedMs
    if (this.state === 'done' || sinceMs < 1) return this.#bitRate
    const newest = (this.#newBytes * 8000) / sinceMs
    const weight = 1 - Math.exp(-sinceMs / RATE_OVER_MS)
    this.#bitRate += (newest - this.#bitRate) * weight
    this.#newBytes = 0
    this.#ratedMs = nowMs
    return this.#bitRate
  }

  /** A new one each time: what was given out as a checkpoint stays. */
  #add(more: Partial<PrefetchCounts>): void {
    const counts = { ...this.#counts }
    for (const name of Object.keys(NO_COUNTS)) {
      if (isCount(name)) counts[name] += more[name] ?? 0
    }
    this.#counts = counts
  }
}

function isCount(name: string): name is keyof PrefetchCounts {
  return Object.hasOwn(NO_COUNTS, name)
}
