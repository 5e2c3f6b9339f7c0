// Prefetches from beginning to end: a list is taken in, told to the edges, handed out in their parts, and added up. Any
// scheduler does any of it; what they share is the store and the log of events.
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type {
  EdgePrefetch,
  EdgePrefetchUrls,
  PrefetchProgress,
  PrefetchSettings,
  PrefetchUrl,
  ProgressReply,
} from '../../src/wire/prefetch.ts'
import type { EventLog } from '../events/event-log.ts'
import { stateOf as edgeStateOf } from '../health/liveness.ts'
import {
  PREFETCHES_MAX,
  PREFETCH_CHUNKS_LOOKED_AT_MAX,
  PREFETCH_KEPT_BYTES_MAX,
  PREFETCH_KEPT_MS,
  PREFETCH_PAGE_URLS,
} from '../limits.ts'
import type { SnapshotHolder } from '../snapshot.ts'
import type { ListLine } from './list-lines.ts'
import { Owners } from './owners.ts'
import { newPrefetchId, stateOf } from './prefetch-job.ts'
import type { EdgeStanding, PrefetchJob } from './prefetch-job.ts'
import type { PrefetchStore } from './prefetch-store.ts'
import { takeList, urlsIn } from './read-list.ts'

export interface PrefetchesDeps {
  readonly store: PrefetchStore
  readonly events: EventLog
  readonly snapshots: Pick<SnapshotHolder, 'current'>
  readonly clock: Clock
  readonly log: Logger
}

export interface Wanted {
  readonly settings: PrefetchSettings
  /** Ids that are configured. */
  readonly sites: readonly string[]
  /** The entry of a property's `warm`: it takes the place of the one before. null: an operator's. */
  readonly warm: string | null
}

/** empty: a list without a URL. full: as many as are kept are under way. */
export type NotBegun = 'empty' | 'full'

export class Prefetches {
  readonly store: PrefetchStore
  /** One listener. */
  onBegin: ((job: PrefetchJob) => void) | null = null
  readonly #deps: PrefetchesDeps

  constructor(deps: PrefetchesDeps) {
    this.#deps = deps
    this.store = deps.store
  }

  /** Throws LineError, StoreAwayError and NotAppendedError; of what throws, nothing is left. */
  async begin(
    lines: AsyncIterable<ListLine> | Iterable<ListLine>,
    { settings, sites, warm }: Wanted,
  ): Promise<PrefetchJob | NotBegun> {
    const { store, clock, log, snapshots } = this.#deps
    if (!(await this.#makeRoom())) return 'full'
    const id = newPrefetchId()
    const { topology } = snapshots.current
    try {
      const taken = await takeList(id, lines, { store, topology, owners: new Owners(topology, sites) })
      if (taken.urls === 0) return 'empty'
      const job: PrefetchJob = {
        id,
        warm,
        atMs: clock.now(),
        cancelledAtMs: null,
        settings,
        sites: [...sites],
        ...taken,
      }
      await store.add(job)
      await this.#tell(id)
      if (warm !== null) await this.#removeEarlier(job)
      this.onBegin?.(job)
      log.info({ id, warm, urls: job.urls, edges: Object.keys(job.parts).length }, 'prefetch begun')
      return job
    } catch (error) {
      // Also what the store may hold of it by now; should it be away, its lifetime ends it.
      await store.remove(id).catch(() => {})
      throw error
    }
  }

  /** Gives false when there is none of that id. Throws StoreAwayError and NotAppendedError. */
  async cancel(id: string): Promise<boolean> {
    const { store, clock, log } = this.#deps
    if ((await store.find(id)) === undefined) return false
    await store.cancel(id, clock.now())
    await store.dropList(id)
    log.info({ id }, 'prefetch cancelled')
    // Edges that do not hear of it do with their next word of progress.
    await this.#tell(id)
    return true
  }

  /** Those with a part for the edge that it has not done. */
  async idsFor(edge: string): Promise<string[]> {
    const jobs = (await this.store.all()).filter((job) => isFor(job, edge))
    const done = await Promise.all(
      jobs.map(async ({ id }) => (await this.store.standingOf(id)).get(edge)?.state === 'done'),
    )
    return jobs.filter((_job, i) => done[i] !== true).map(({ id }) => id)
  }

  async partOf(id: string, edge: string): Promise<EdgePrefetch> {
    const job = await this.store.find(id)
    if (job === undefined || !isFor(job, edge)) return { state: 'gone' }
    const progress = (await this.store.progressOf(id)).get(edge) ?? null
    return { state: 'active', settings: job.settings, urls: job.parts[edge] ?? 0, progress }
  }

  /** A part of the list, of which only so much is looked at in one go that others are not held up. */
  async urlsFor(id: string, edge: string, from: number): Promise<EdgePrefetchUrls> {
    const job = await this.store.find(id)
    if (job === undefined || !isFor(job, edge)) return { urls: [], next: null }
    const { topology } = this.#deps.snapshots.current
    const owners = new Owners(topology, job.sites)
    const isOwn = ({ property, path }: PrefetchUrl) => {
      const view = topology.properties.findById(property)
      return (
        view !== undefined && owners.of(view, path.split('?', 1)[0] ?? '').some((owner) => owner.id === edge)
      )
    }
    const chunks = await this.store.chunks(id, from, PREFETCH_CHUNKS_LOOKED_AT_MAX)
    const urls: PrefetchUrl[] = []
    for (const [i, chunk] of chunks.entries()) {
      urls.push(...urlsIn(chunk).filter(isOwn))
      if (urls.length >= PREFETCH_PAGE_URLS) return { urls, next: from + i + 1 }
    }
    const isEnd = chunks.length < PREFETCH_CHUNKS_LOOKED_AT_MAX
    return { urls, next: isEnd ? null : from + chunks.length }
  }

  async takeProgress(id: string, edge: string, progress: PrefetchProgress): Promise<ProgressReply> {
    const job = await this.store.find(id)
    if (job === undefined || !isFor(job, edge)) return { state: 'gone', bitRate: null }
    await this.store.setProgress(id, edge, progress)
    if (job.settings.bitRate === null && progress.state !== 'done') return { state: 'active', bitRate: null }
    const standing = await this.store.standingOf(id)
    if (stateOf(job, standing) === 'done') await this.store.dropList(id)
    return { state: 'active', bitRate: this.#shareOf(job, standing) }
  }

  /** Of its rate, between the edges that have something left and are there. */
  #shareOf({ settings, parts }: PrefetchJob, standing: ReadonlyMap<string, EdgeStanding>): number | null {
    if (settings.bitRate === null) return null
    const { topology, reports, health } = this.#deps.snapshots.current
    const nowMs = this.#deps.clock.monotonic()
    const sharing = Object.keys(parts).filter((edge) => {
      const view = topology.edgesById.get(edge)
      if (view === undefined || standing.get(edge)?.state === 'done') return false
      return edgeStateOf(reports[view.index], nowMs, health[view.index]) !== 'down'
    })
    return settings.bitRate / Math.max(1, sharing.length)
  }

  /** Edges ask for what it is by then. */
  async #tell(prefetch: string): Promise<void> {
    await this.#deps.events.append({ kind: 'prefetch', prefetch })
  }

  /** What is too old goes, then what is over, the oldest first; false when all that is left is under way. */
  async #makeRoom(): Promise<boolean> {
    const { store, clock } = this.#deps
    const jobs = await store.all()
    const outdated = jobs.filter(({ atMs }) => clock.now() - atMs > PREFETCH_KEPT_MS)
    await Promise.all(outdated.map(({ id }) => store.remove(id)))
    const kept = jobs.filter((job) => !outdated.includes(job))
    const states = await Promise.all(kept.map(async (job) => stateOf(job, await store.standingOf(job.id))))
    const over = kept.filter((_job, i) => states[i] !== 'active')
    const active = kept.filter((_job, i) => states[i] === 'active')
    const bytes = active.reduce((sum, job) => sum + job.bytes, 0)
    if (active.length >= PREFETCHES_MAX || bytes > PREFETCH_KEPT_BYTES_MAX) return false
    const surplus = kept.length + 1 - PREFETCHES_MAX
    await Promise.all(over.slice(0, Math.max(0, surplus)).map(({ id }) => store.remove(id)))
    return true
  }

  /** An edge that still works on one hears that it is gone; what it has fetched, the next finds present. */
  async #removeEarlier({ id: newest, warm }: PrefetchJob): Promise<void> {
    const earlier = (await this.store.all()).filter((job) => job.warm === warm && job.id !== newest)
    await Promise.all(earlier.map(({ id }) => this.store.remove(id)))
  }
}

function isFor({ cancelledAtMs, parts }: PrefetchJob, edge: string): boolean {
  return cancelledAtMs === null && Object.hasOwn(parts, edge)
}
