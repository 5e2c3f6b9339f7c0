// Issues what properties keep warm: a prefetch of each entry at the start, and then every so often. Of several schedulers
// one does, whichever claims the turn first; a claim outlives the scheduler that made it by no more than the turn.
import { hash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Background } from '../../src/background.ts'
import type { WarmSettings } from '../../src/config/prefetch-schema.ts'
import { messageOf } from '../../src/errors.ts'
import type { Clock } from '../../src/clock.ts'
import { BoundedLog } from '../bounded-log.ts'
import { WARM_AGAIN_MS, WARM_LOOK_MS } from '../limits.ts'
import type { PropertyView } from '../topology.ts'
import type { PrefetchesDeps, Prefetches } from './prefetches.ts'

export interface WarmerDeps extends Pick<PrefetchesDeps, 'snapshots' | 'clock' | 'log'> {
  readonly prefetches: Prefetches
}

export class Warmer {
  readonly #deps: WarmerDeps
  readonly #clock: Clock
  readonly #warnings: BoundedLog
  readonly #stopping = new AbortController()
  /** Claim of an entry → when it is looked at again, of the monotonic clock. */
  readonly #dueMs = new Map<string, number>()
  #running: Promise<void> = Promise.resolve()

  constructor(deps: WarmerDeps) {
    this.#deps = deps
    this.#clock = deps.clock
    this.#warnings = new BoundedLog(deps.clock, deps.log)
  }

  start(background: Background): void {
    this.#running = this.#run()
    background('keep content warm', this.#running)
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- a clock's tick
      await this.#look()
      // oxlint-disable-next-line no-await-in-loop
      await wait(WARM_LOOK_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** The configuration is read anew each time: entries come and go with it. */
  async #look(): Promise<void> {
    const entries = this.#deps.snapshots.current.topology.allProperties.flatMap(entriesOf)
    const claims = new Set(entries.map(({ claim }) => claim))
    for (const claim of this.#dueMs.keys()) if (!claims.has(claim)) this.#dueMs.delete(claim)
    for (const entry of entries) {
      if (this.#stopping.signal.aborted) return
      if (this.#clock.monotonic() < (this.#dueMs.get(entry.claim) ?? 0)) continue
      // oxlint-disable-next-line no-await-in-loop -- one after the other: none is in a hurry
      this.#dueMs.set(entry.claim, this.#clock.monotonic() + (await this.#issue(entry)))
    }
  }

  /** Gives after how long it is to be looked at again. */
  async #issue({ name, claim, property, settings }: WarmEntry): Promise<number> {
    const { prefetches } = this.#deps
    const { every } = settings
    let isClaimed = false
    try {
      const takenForMs = await prefetches.store.claim(claim, every)
      if (takenForMs > 0) return takenForMs
      isClaimed = true
      const job = await prefetches.begin(linesOf(property, settings), {
        settings: {
          renditions: settings.renditions,
          bitRate: settings.rate ?? null,
          window: settings.window ?? null,
        },
        sites: this.#sitesOf(property, settings),
        warm: name,
      })
      if (typeof job !== 'string') return every
      this.#warnings.warn(name, { entry: name, reason: job }, 'content is not kept warm this time')
      return every
    } catch (error) {
      if (isClaimed) await prefetches.store.giveUp(claim).catch(() => {})
      this.#warnings.warn(name, { entry: name, err: messageOf(error) }, 'content cannot be kept warm')
      return Math.min(every, WARM_AGAIN_MS)
    }
  }

  #sitesOf({ siteIds }: PropertyView, { sites }: WarmSettings): string[] {
    if (sites.length > 0) return [...sites]
    const { topology } = this.#deps.snapshots.current
    return topology.sites.map(({ id }) => id).filter((id) => siteIds?.has(id) ?? true)
  }
}

interface WarmEntry {
  /** As operators are shown it. */
  readonly name: string
  /** Another one when anything of it changes: what is new does not wait for the turn of what was. */
  readonly claim: string
  readonly property: PropertyView
  readonly settings: WarmSettings
}

function entriesOf(property: PropertyView): WarmEntry[] {
  return property.warm.map((settings, i) => {
    const name = `${property.id}#${i}`
    return { name, claim: `warm:${name}:${digestOf(settings)}`, property, settings }
  })
}

/** A configuration is looked at each second. */
const digests = new WeakMap<WarmSettings, string>()

function digestOf(settings: WarmSettings): string {
  const known = digests.get(settings) ?? hash('sha256', JSON.stringify(settings), 'hex').slice(0, 12)
  digests.set(settings, known)
  return known
}

/** As a list would name them. */
function linesOf({ id }: PropertyView, { paths }: WarmSettings) {
  return paths.map((path, i) => ({ number: i + 1, text: `http://warm.invalid/~${id}${path}` }))
}
