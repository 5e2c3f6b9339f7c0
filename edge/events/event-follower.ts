// Follows the scheduler's events: asks for what is behind the last one that was applied, which says that it is applied,
// and is answered when there is more. A scheduler that is away changes nothing; it is asked again. Whoever knows of an
// event that was not heard here yet may wait for it.
import { setTimeout as wait } from 'node:timers/promises'
import type { Background } from '../../src/background.ts'
import { messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { compareEventIds } from '../../src/wire/events.ts'
import type { EventsReply } from '../../src/wire/events.ts'
import { EVENTS_RETRY_MS, PEER_EVENTS_WAIT_MS } from '../limits.ts'

export interface EventSource {
  /** `hold`: answered when there is something. Rejects when no scheduler answers. */
  events(after: string, hold: boolean, signal: AbortSignal): Promise<EventsReply>
}

export interface EventTaker {
  readonly last: string
  /** The last event that holds, if it is written down or not. */
  readonly applied: string
  take(events: EventsReply['events'], last: string, gap: boolean): Promise<void>
}

/** Who else is told of what comes, before purges are written down: it waits for nothing of theirs. */
export interface EventListeners {
  /** The guidance that a reply names. */
  readonly onGuidance?: (version: string) => void
  /** There is a new configuration. Not called for those that a start finds. */
  readonly onConfig?: (version: number) => void
  /** These prefetches were begun or cancelled; null: it may have missed some. */
  readonly onPrefetch?: (ids: readonly string[] | null) => void
}

export class EventFollower {
  readonly #source: EventSource
  readonly #taker: EventTaker
  readonly #log: Logger
  readonly #listeners: EventListeners
  readonly #stopping = new AbortController()
  /** Ends the question that a scheduler holds. */
  #asking = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Ends a rest between two questions. */
  #rest = new AbortController()
  /** Resolves when a question is over, whatever came of it. */
  #heard = Promise.withResolvers<void>()
  /** Of those who wait for an event: begun by the first of them, and for as long as nothing is heard. */
  #patience: Patience | null = null
  #isHurried = false
  /** Said once a cause. */
  #failure: string | null = null

  constructor(source: EventSource, taker: EventTaker, log: Logger, listeners: EventListeners = {}) {
    this.#source = source
    this.#taker = taker
    this.#log = log
    this.#listeners = listeners
  }

  /** Applies what was missed, before anything is served. Resolves in bounded time, with a scheduler or without. */
  async catchUp(boundMs: number): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(boundMs)])
    try {
      let heard = await this.#exchange(false, signal)
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      while (heard === 'events' && !signal.aborted) heard = await this.#exchange(false, signal)
    } catch (error) {
      this.#log.warn(
        { err: messageOf(error) },
        'no scheduler tells what was purged meanwhile: served as it is',
      )
    }
  }

  start(background: Background): void {
    this.#running = this.#follow()
    background('follow events', this.#running)
  }

  /**
   * True once everything up to `event` holds here. False where it does not in time, which runs from the first who waits:
   * an edge that no scheduler reaches keeps nobody waiting for what another has heard.
   */
  async reach(event: string): Promise<boolean> {
    if (this.holds(event)) return true
    if (this.#patience === null) {
      this.#patience = beginPatience(this.#stopping.signal)
      this.#isHurried = true
      this.#rest.abort()
    }
    const patience = this.#patience
    while (!this.holds(event) && !patience.isOver) {
      // oxlint-disable-next-line no-await-in-loop -- until either is so
      await Promise.race([this.#heard.promise, patience.over])
    }
    return this.holds(event)
  }

  /**
   * Asks anew at once. A question that went to a scheduler before the way there was lost is answered by nobody, and the
   * edge would serve for seconds what was purged meanwhile.
   */
  askAgain(): void {
    this.#asking.abort()
    this.#rest.abort()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one question after the other
        const heard = await this.#exchange(true, AbortSignal.any([signal, this.#asking.signal]))
        this.#failure = null
        // Schedulers that do not know each other's events would have it ask for everything again without end.
        // oxlint-disable-next-line no-await-in-loop
        if (heard === 'gap') await this.#pause()
      } catch (error) {
        if (signal.aborted) return
        if (this.#asking.signal.aborted) {
          this.#asking = new AbortController()
          continue
        }
        const failure = messageOf(error)
        if (failure !== this.#failure)
          this.#log.warn({ err: failure }, 'cannot follow the events of the cluster')
        this.#failure = failure
        // oxlint-disable-next-line no-await-in-loop
        await this.#pause()
      }
    }
  }

  /** Everything up to it is applied here. */
  holds(event: string): boolean {
    const { applied } = this.#taker
    return event === '' || (applied !== '' && compareEventIds(event, applied) <= 0)
  }

  async #pause(): Promise<void> {
    this.#rest = new AbortController()
    const signal = AbortSignal.any([this.#stopping.signal, this.#rest.signal])
    if (!this.#isHurried) await wait(EVENTS_RETRY_MS, undefined, { signal }).catch(() => {})
    this.#isHurried = false
  }

  async #exchange(hold: boolean, signal: AbortSignal): Promise<'nothing' | 'gap' | 'events'> {
    const { applied } = this.#taker
    try {
      return await this.#ask(hold, signal)
    } finally {
      if (this.#taker.applied !== applied) this.#patience = null
      this.#heard.resolve()
      this.#heard = Promise.withResolvers<void>()
    }
  }

  async #ask(hold: boolean, signal: AbortSignal): Promise<'nothing' | 'gap' | 'events'> {
    const after = this.#taker.last
    const { events, last, gap, guidanceVersion } = await this.#source.events(after, hold, signal)
    if (guidanceVersion !== undefined) this.#listeners.onGuidance?.(guidanceVersion)
    if (last === after && events.length === 0 && !gap) return 'nothing'
    // It serves already, and hears only now where the events stand.
    const missed = gap || (hold && after === '' && last !== '')
    if (hold) this.#announce(events, missed)
    await this.#taker.take(events, last, missed)
    if (missed) return 'gap'
    return events.length === 0 ? 'nothing' : 'events'
  }

  #announce(events: EventsReply['events'], missed: boolean): void {
    const { onConfig, onPrefetch } = this.#listeners
    const config = events.findLast(({ kind }) => kind === 'config')
    if (config?.kind === 'config') onConfig?.(config.version)
    const prefetches = events.flatMap((event) => (event.kind === 'prefetch' ? event.prefetch : []))
    if (missed) onPrefetch?.(null)
    else if (prefetches.length > 0) onPrefetch?.(prefetches)
  }
}

interface Patience {
  isOver: boolean
  readonly over: Promise<void>
}

function beginPatience(signal: AbortSignal): Patience {
  const patience: Patience = { isOver: false, over: end() }
  async function end(): Promise<void> {
    await wait(PEER_EVENTS_WAIT_MS, undefined, { signal }).catch(() => {})
    patience.isOver = true
  }
  return patience
}
