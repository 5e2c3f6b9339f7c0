// Applies purges: to the rules that every object is held against, to the journal, and of a URL to the cache itself. Owns
// the journal and how far this edge has heard the scheduler's events.
import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { ClusterEvent, Purge } from '../../src/wire/events.ts'
import type { Landing } from '../fill/landing.ts'
import { keyOf } from '../property/cache-key.ts'
import { PurgeJournal, readJournal } from './purge-journal.ts'
import type { CountedPurge, PurgeRules } from './purge-rules.ts'

/** Of everything, kept to be asked for again: what an edge does that may have missed purges. */
const MISSED: Purge = { property: null, scope: 'all', value: '', soft: true }

export interface PurgerDeps {
  readonly rules: PurgeRules
  readonly landing: Landing
  readonly clock: Clock
  readonly log: Logger
}

export class Purger {
  readonly #deps: PurgerDeps
  readonly #journal: PurgeJournal | null
  #last: string
  /** Objects are on disk from a time of which no purges are known. */
  #isUnsure: boolean

  /** `directory`: the first cache directory; null: everything is in memory, and gone with the process. */
  static async open(directory: string | null, isNew: boolean, deps: PurgerDeps): Promise<Purger> {
    if (directory === null) return new Purger(deps, null, '', false)
    const found = await readJournal(directory)
    for (const purge of found?.purges ?? []) deps.rules.apply(purge, cacheKeyOf)
    const last = found?.last ?? ''
    const purges = [...deps.rules.entries()].toSorted((a, b) => a.count - b.count)
    const journal = await PurgeJournal.create(directory, { purges, last })
    return new Purger(deps, journal, last, found === undefined && !isNew)
  }

  private constructor(deps: PurgerDeps, journal: PurgeJournal | null, last: string, isUnsure: boolean) {
    this.#deps = deps
    this.#journal = journal
    this.#last = last
    this.#isUnsure = isUnsure
  }

  /** The last event that is applied; '' before the first. */
  get last(): string {
    return this.#last
  }

  /** What the scheduler says is behind `last`. Resolves when it is applied and on disk. */
  async take(events: readonly ClusterEvent[], last: string, gap: boolean): Promise<void> {
    // Where the cluster has had purges, of which this edge knows none.
    const missed = gap || (this.#isUnsure && last !== '')
    const purges = events.map(({ purge }) => purge)
    await this.#apply(missed ? [MISSED, ...purges] : purges, last)
    this.#isUnsure = false
    if (missed) this.#deps.log.warn({ last }, 'purges may have been missed: everything is asked for again')
  }

  /** An operator's, at this edge alone. */
  async purge(purge: Purge): Promise<void> {
    await this.#apply([purge], this.#last)
  }

  async close(): Promise<void> {
    await this.#journal?.close()
  }

  async #apply(purges: readonly Purge[], last: string): Promise<void> {
    const { rules, clock, landing } = this.#deps
    const counted = purges.map((purge): CountedPurge => {
      const one = { count: rules.nextCount(clock.now()), purge }
      rules.apply(one, cacheKeyOf)
      return one
    })
    // What goes by its URL leaves memory and disk; the rules cover what is on its way.
    await Promise.all(counted.map(({ purge }) => removeUrl(purge, landing)))
    await this.#write(counted, last)
    this.#last = last
  }

  /** A journal that cannot be written is told once each time; the rules hold as long as this process lives. */
  async #write(purges: readonly CountedPurge[], last: string): Promise<void> {
    try {
      await this.#journal?.write(purges, last)
    } catch (error) {
      this.#deps.log.error({ err: messageOf(error) }, 'purges cannot be written down')
      throw error
    }
  }
}

async function removeUrl({ property, scope, value, soft }: Purge, landing: Landing): Promise<void> {
  if (scope !== 'url' || soft || property === null) return
  const key = cacheKeyOf(property, value)
  if (key !== null) await landing.invalidate(key)
}

function cacheKeyOf(property: string, url: string): string | null {
  return keyOf(property, url)?.key ?? null
}
