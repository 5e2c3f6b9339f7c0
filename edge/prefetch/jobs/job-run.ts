// One prefetch at this edge, from where it stands to the end of its part: page after page of the list, each URL with all
// that it names. Ends early when the scheduler says that it is gone.
import { setTimeout as wait } from 'node:timers/promises'
import { compileHours } from '../../../src/access/time-window.ts'
import { parsePlaylist } from '../../../src/hls/parse.ts'
import type { EdgePrefetch, EdgePrefetchUrls, PrefetchUrl } from '../../../src/wire/prefetch.ts'
import type { EdgeContext } from '../../exchange.ts'
import {
  PREFETCH_ASK_AGAIN_MS,
  PREFETCH_EACH_AT_ONCE,
  PREFETCH_RETRIES_MAX,
  PREFETCH_RETRY_FIRST_MS,
} from '../../limits.ts'
import { isPlaylistName, isPlaylistType } from '../../playlist/playlist-times.ts'
import { keyOf } from '../../property/cache-key.ts'
import type { Property } from '../../property/property-table.ts'
import type { ObjectMeta } from '../../cache/object-meta.ts'
import { aheadTarget } from '../ahead-target.ts'
import { bringObject, failed } from './bring-object.ts'
import type { Brought, Errand, FailedBringing } from './bring-object.ts'
import type { JobSource } from './job-source.ts'
import { JobTeller } from './job-teller.ts'
import { namedObjects } from './named-objects.ts'
import type { NamedObjects, NotNamed } from './named-objects.ts'
import { Pacer } from './pacer.ts'
import { readWhole } from './read-whole.ts'
import { Tally } from './tally.ts'
import { workThrough } from './work-through.ts'

type ActivePart = Extract<EdgePrefetch, { state: 'active' }>

export interface JobDeps {
  readonly edge: EdgeContext
  readonly source: JobSource
  readonly isBusy: () => boolean
  /** Waits for a place among all that are fetched at once; gives what lets go of it. */
  readonly place: Errand['place']
  readonly counters: JobCounters
}

/** Told of what happens, for the metrics. */
export interface JobCounters {
  object(outcome: 'fetched' | 'present'): void
  bytes(count: number): void
  failure(reason: FailedBringing['reason']): void
}

/** Something to bring: a URL of the list, or what it names. */
interface Task extends PrefetchUrl {
  readonly depth: 'listed' | 'rendition' | 'object'
  readonly url: { left: number }
}

export class JobRun {
  readonly #id: string
  readonly #part: ActivePart
  readonly #deps: JobDeps
  readonly #pacer: Pacer
  readonly #tally: Tally
  readonly #teller: JobTeller
  readonly #stopping = new AbortController()

  constructor(id: string, part: ActivePart, deps: JobDeps) {
    const { window } = part.settings
    this.#id = id
    this.#part = part
    this.#deps = deps
    const { clock } = deps.edge
    this.#pacer = new Pacer({
      clock,
      window: window === null ? null : compileHours({ daily: [window.daily], zone: window.zone }, 'window'),
      isBusy: deps.isBusy,
    })
    this.#tally = new Tally(clock, part.urls, part.progress)
    this.#teller = new JobTeller({ id, source: deps.source, tally: this.#tally, pacer: this.#pacer })
  }

  /** It goes no further; what it has fetched stays. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Resolves when it is done, or was stopped. */
  async run(): Promise<void> {
    const { signal } = this.#stopping
    // First of all it hears what it may take.
    const heard = await this.#teller.tell()
    if (heard === 'gone') return
    if (heard === 'unheard') this.#pacer.bitRate = this.#part.settings.bitRate
    const telling = this.#keepTelling()
    try {
      this.#tally.work(true)
      await this.#workThroughList()
      this.#tally.done()
      this.#teller.finish()
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      this.#tally.work(false)
      if (this.#tally.state !== 'done') this.stop()
      await telling
    }
  }

  async #keepTelling(): Promise<void> {
    if ((await this.#teller.keepTelling(this.#stopping.signal)) === 'gone') this.stop()
  }

  async #workThroughList(): Promise<void> {
    let from: number | null = this.#tally.from
    while (from !== null) {
      // oxlint-disable-next-line no-await-in-loop -- a page when the one before is done
      const page: EdgePrefetchUrls = await this.#page(from)
      const tasks = page.urls.map((url) => Object.assign({ depth: 'listed' as const, url: { left: 1 } }, url))
      // oxlint-disable-next-line no-await-in-loop
      await workThrough<Task>(tasks, PREFETCH_EACH_AT_ONCE, (task, more) => this.#bring(task, more))
      from = page.next
      if (from !== null) this.#tally.reached(from)
    }
  }

  async #page(from: number): Promise<EdgePrefetchUrls> {
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until a scheduler answers
        return await this.#deps.source.urls(this.#id, from)
      } catch {
        // Reports say that no scheduler answers.
        // oxlint-disable-next-line no-await-in-loop
        await wait(PREFETCH_ASK_AGAIN_MS, undefined, { signal: this.#stopping.signal })
      }
      this.#stopping.signal.throwIfAborted()
    }
  }

  async #bring(task: Task, more: (tasks: readonly Task[]) => void): Promise<void> {
    const { edge } = this.#deps
    const property = edge.table.index.findById(task.property)
    const keyed = property === undefined ? null : keyOf(property.id, task.path)
    if (property === undefined || keyed === null) {
      this.#failed(task, failed('no-property', `no property "${task.property}" here`, false))
      return
    }
    const { brought, bytes } = await this.#bringWithRetries(property, keyed)
    if (brought.kind === 'failed') {
      this.#failed(task, brought)
      return
    }
    const { meta } = brought
    const named =
      task.depth === 'object' ? null : await this.#namesOf(task, property, keyed.upstreamPath, meta)
    if (named !== null && 'kind' in named) {
      this.#failed(task, named)
      return
    }
    const outcome = bytes > 0 ? 'fetched' : 'present'
    this.#deps.counters.object(outcome)
    this.#tally.settled(outcome)
    if (named !== null) {
      task.url.left += named.objects.length
      this.#tally.found(named.objects.length, named.elsewhere)
      const depth = named.arePlaylists ? ('rendition' as const) : ('object' as const)
      const { property: id, url } = task
      more(named.objects.map(({ upstreamPath }) => ({ property: id, path: upstreamPath, depth, url })))
    }
    this.#settled(task)
  }

  async #bringWithRetries(
    property: Property,
    { key, upstreamPath: path }: { key: string; upstreamPath: string },
  ): Promise<{ brought: Brought; bytes: number }> {
    const { edge, place, counters } = this.#deps
    const { signal } = this.#stopping
    let bytes = 0
    const onBytes = (count: number) => {
      bytes += count
      counters.bytes(count)
      this.#tally.bytes(count)
    }
    for (let attempt = 0; ; attempt++) {
      const plain = aheadTarget(property, { key, path })
      const target = { ...plain, rule: { ...plain.rule, ahead: true as const } }
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const brought = await bringObject(target, edge, { pacer: this.#pacer, place, signal, onBytes })
      if (brought.kind === 'here' || !brought.retry || attempt === PREFETCH_RETRIES_MAX) {
        return { brought, bytes }
      }
      // oxlint-disable-next-line no-await-in-loop
      await wait(PREFETCH_RETRY_FIRST_MS * 2 ** attempt, undefined, { signal })
    }
  }

  /** null: it names nothing. */
  async #namesOf(
    { depth }: Task,
    property: Property,
    path: string,
    meta: ObjectMeta,
  ): Promise<NamedObjects | FailedBringing | null> {
    const { edge } = this.#deps
    if (!isPlaylistName(path) && !isPlaylistType(meta.fields)) return null
    const body = await readWhole(meta, aheadTarget(property, { key: meta.key, path }), edge)
    if (body === null) return failed('playlist', 'it is too long, or gone again', false)
    const named = namedObjects(parsePlaylist(body), depth === 'rendition', {
      propertyId: property.id,
      playlistPath: path,
      own: property.playlists.own,
      renditions: this.#part.settings.renditions,
      isKey: property.access.isKey,
    })
    return typeof named === 'string' ? failed(...NOT_NAMED[named], false) : named
  }

  #failed(task: Task, failure: FailedBringing): void {
    this.#deps.counters.failure(failure.reason)
    this.#tally.failed(task, failure)
    this.#settled(task)
  }

  #settled({ url }: Task): void {
    url.left -= 1
    if (url.left === 0) this.#tally.urlDone()
  }
}

const NOT_NAMED: Record<NotNamed, ['live' | 'playlist', string]> = {
  live: ['live', 'it has no end: what it names is gone before long'],
  'main-within': ['playlist', 'a main playlist within a main playlist'],
  refused: ['playlist', 'it cannot be read as a playlist'],
}
