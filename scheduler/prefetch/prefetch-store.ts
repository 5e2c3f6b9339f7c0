// Where prefetches are kept: the interface that memory-store.ts and redis-store.ts implement, and that
// test/contract/prefetch-store.test.ts holds both to. A list is written first, in chunks; nobody sees it before its job
// is added.
import type { PrefetchProgress } from '../../src/wire/prefetch.ts'
import type { EdgeStanding, PrefetchJob } from './prefetch-job.ts'

export interface PrefetchStore {
  /** One chunk more of a list, as text. */
  appendChunk(id: string, chunk: string): Promise<void>
  /** Of a list that is not wanted, or that every edge is done with. */
  dropList(id: string): Promise<void>
  /** Chunks of a list from a place on; fewer where it ends. */
  chunks(id: string, from: number, count: number): Promise<readonly string[]>
  add(job: PrefetchJob): Promise<void>
  find(id: string): Promise<PrefetchJob | undefined>
  /** The oldest first. */
  all(): Promise<readonly PrefetchJob[]>
  /** With its list and all that edges said of it. */
  remove(id: string): Promise<void>
  cancel(id: string, atMs: number): Promise<void>
  setProgress(id: string, edge: string, progress: PrefetchProgress): Promise<void>
  standingOf(id: string): Promise<ReadonlyMap<string, EdgeStanding>>
  progressOf(id: string): Promise<ReadonlyMap<string, PrefetchProgress>>
  /** 0: it is the caller's for so long; else another has it, for the milliseconds that are given. */
  claim(name: string, forMs: number): Promise<number>
  /** Of a claim that came to nothing. */
  giveUp(name: string): Promise<void>
  close(): Promise<void>
}

/** Redis is away, or says no: the same may go well in a moment. */
export class StoreAwayError extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause })
    this.name = 'StoreAwayError'
  }
}
