// Tells the scheduler how far a prefetch is, and hears from it what it may take: once a second while it works, and when it
// is done, until that is heard.
import { setTimeout as wait } from 'node:timers/promises'
import { PREFETCH_PROGRESS_EVERY_MS } from '../../../src/wire/prefetch.ts'
import type { JobSource } from './job-source.ts'
import type { Pacer } from './pacer.ts'
import type { Tally } from './tally.ts'

export type Heard = 'heard' | 'gone' | 'unheard'

export interface TellerDeps {
  readonly id: string
  readonly source: JobSource
  readonly tally: Tally
  readonly pacer: Pacer
}

export class JobTeller {
  readonly #deps: TellerDeps
  readonly #finished = new AbortController()

  constructor(deps: TellerDeps) {
    this.#deps = deps
  }

  async tell(): Promise<Heard> {
    const { id, source, tally, pacer } = this.#deps
    try {
      const { state, bitRate } = await source.tell(id, tally.progress())
      if (state === 'gone') return 'gone'
      pacer.bitRate = bitRate
      return 'heard'
    } catch {
      // Reports say that no scheduler answers.
      return 'unheard'
    }
  }

  /** It is done: the next word is the last, and goes at once. */
  finish(): void {
    this.#finished.abort()
  }

  /** Resolves when the last word was heard, the signal is given, or the prefetch is gone. */
  async keepTelling(signal: AbortSignal): Promise<'gone' | 'over'> {
    let told: Tally['state'] | null = null
    // The first wait after the end is cut short; those that follow are for a scheduler that did not answer.
    let cut = AbortSignal.any([signal, this.#finished.signal])
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- a clock's tick
      await wait(PREFETCH_PROGRESS_EVERY_MS, undefined, { signal: cut }).catch(() => {})
      if (this.#finished.signal.aborted) cut = signal
      const state = this.#stateNow()
      // Cancelled meanwhile, it hears so from the events.
      if (state === 'out-of-hours' && told === state) continue
      // oxlint-disable-next-line no-await-in-loop
      const heard = signal.aborted ? 'unheard' : await this.tell()
      if (heard === 'gone') return 'gone'
      if (heard !== 'heard') continue
      if (state === 'done') return 'over'
      told = state
    }
    return 'over'
  }

  #stateNow(): Tally['state'] {
    const { tally, pacer } = this.#deps
    if (tally.state === 'done') return 'done'
    const isOpen = pacer.isOpen()
    tally.state = isOpen ? 'working' : 'out-of-hours'
    tally.work(isOpen)
    return tally.state
  }
}
