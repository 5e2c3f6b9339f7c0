// Applies purges: to the rules that every object is held against, to the journal, and of a URL to the cache itself. Owns
// the journal and how far this edge has heard the scheduler's events.
import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { compareEventIds } from '../../src/wire/events.ts'
import type { ClusterEvent, Purge } from '../../src/wire/events.ts'
import type { Landing } from '../fill/landing.ts'
import { keyOf } from '../property/cache-key.ts'
import { withoutDirectives } from '../playlist/known-playlists.ts'
import { PurgeJournal, readJournal } from './purge-journal.ts'
import type { ReadJournal } from './purge-journal.ts'
import type { CountedPurge, PurgeRules } from './purge-rules.ts'

/** Of everything, kept to be asked for again: what an edge does that may have missed purges. */
const MISSED: Purge = { property: null, scope: 'all', value: '', soft: true }

export interface PurgerDeps {
  readonly rules: PurgeRules
  readonly landing: Landing
  readonly clock: Clock
  readonly log: Logger
  /** Told of each purge that is applied. */
  readonly onApply: (purge: Purge) => void
}

export class Purger {
  readonly #deps: PurgerDeps
  readonly #journal: PurgeJournal | null
  /** Nothing is here that an event before the first which is heard could name. */
  readonly #isFresh: boolean
  #last = ''
  #applied = ''
  /** Of the scheduler's: what is behind `last` and up to here is applied, and not yet written down. */
  #appliedUpTo = ''
  /** One after the other: what is written last must be the latest. */
  #turn: Promise<void> = Promise.resolve()

  /** `directory`: the first cache directory; null: all is in memory, and gone with the process. `isFresh`: nothing is on disk. */
  static async open(directory: string | null, isFresh: boolean, deps: PurgerDeps): Promise<Purger> {
    if (directory === null) return new Purger(null, true, deps)
    const purger = new Purger(new PurgeJournal(directory), isFresh, deps)
    await purger.#begin(await readable(directory, deps.log))
    return purger
  }

  private constructor(journal: PurgeJournal | null, isFresh: boolean, deps: PurgerDeps) {
    this.#deps = deps
    this.#journal = journal
    this.#isFresh = isFresh
  }

  /** The last event that is applied and written down; '' before the first. */
  get last(): string {
    return this.#last
  }

  /** The last event whose rules hold: nothing older is served from here on, though it may not be written down yet. */
  get applied(): string {
    return this.#applied
  }

  /** What the scheduler says is behind `last`. Resolves when it is applied and on disk. */
  take(events: readonly ClusterEvent[], last: string, gap: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const unheard = this.#last === '' && last !== '' && !this.#isFresh
      // Tried again because it could not be written down, it is not applied again.
      const missed = (gap || unheard) && last !== this.#appliedUpTo
      const purges = events
        .filter(({ id }) => this.#appliedUpTo === '' || compareEventIds(id, this.#appliedUpTo) > 0)
        .flatMap((event) => (event.kind === 'purge' ? event.purge : []))
      if (missed) this.#deps.log.warn({ last }, 'purges may have been missed: everything is asked for again')
      const counted = await this.#apply(missed ? [MISSED, ...purges] : purges, last)
      this.#appliedUpTo = last
      await this.#write(counted, last)
    })
  }

  /** An operator's, at this edge alone. */
  purge(purge: Purge): Promise<void> {
    return this.#inTurn(async () => this.#write(await this.#apply([purge], this.#applied), this.#last))
  }

  async close(): Promise<void> {
    await this.#turn
    await this.#journal?.close()
  }

  /** What an earlier life left. A journal that cannot be written now is written with the next purge. */
  async #begin(found: ReadJournal | undefined): Promise<void> {
    for (const one of found?.purges ?? []) this.#deps.rules.apply(one, cacheKeyOf)
    this.#last = found?.last ?? ''
    this.#applied = this.#last
    const isSure = this.#isFresh || found?.damaged === false
    if (!isSure) {
      this.#deps.log.warn('what was purged is not known: everything is asked for again')
      await this.#apply([MISSED], this.#applied)
    }
    await this.#write([], this.#last).catch(() => {})
  }

  /** `upTo`: said in the same turn in which the rules begin to hold, so that nobody is asked with less. */
  async #apply(purges: readonly Purge[], upTo: string): Promise<CountedPurge[]> {
    const { rules, clock, landing, onApply } = this.#deps
    const counted = purges.map((purge): CountedPurge => {
      const one = { count: rules.nextCount(clock.now()), purge }
      rules.apply(one, cacheKeyOf)
      onApply(purge)
      return one
    })
    this.#applied = upTo
    // What goes by its URL leaves memory and disk; the rules cover what is on its way.
    await Promise.all(counted.map(({ purge }) => removeUrl(purge, landing)))
    return counted
  }

  async #write(purges: readonly CountedPurge[], last: string): Promise<void> {
    const all = () => [...this.#deps.rules.entries()].toSorted((a, b) => a.count - b.count)
    try {
      await this.#journal?.write({ purges, last }, all)
    } catch (error) {
      this.#deps.log.error({ err: messageOf(error) }, 'purges cannot be written down')
      throw error
    }
    this.#last = last
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    // Whoever asked hears of a failure; those behind take their turn.
    this.#turn = done.catch(() => {})
    return done
  }
}

/** One that cannot be read is as good as damaged. */
async function readable(directory: string, log: Logger): Promise<ReadJournal | undefined> {
  try {
    return await readJournal(directory)
  } catch (error) {
    log.error({ err: messageOf(error) }, 'what was purged cannot be read')
    return { purges: [], last: '', damaged: true }
  }
}

async function removeUrl({ property, scope, value, soft }: Purge, landing: Landing): Promise<void> {
  if (scope !== 'url' || soft || property === null) return
  const key = cacheKeyOf(property, value)
  if (key !== null) await landing.invalidate(key)
}

/** Of a reload of a playlist, that of the playlist (held.ts). */
function cacheKeyOf(property: string, url: string): string | null {
  const key = keyOf(property, url)?.key
  return key === undefined ? null : withoutDirectives(key)
}
