// Keeps the guidance that the scheduler has for this edge: fetched when a reply names another version, checked, put in
// the place of the old one whole, and saved. One that cannot be read is refused, and the old one stays.
import { z } from 'zod'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { guidanceSchema } from '../../src/wire/guidance.ts'
import type { Guidance } from '../../src/wire/guidance.ts'
import { GUIDANCE_UNHEARD_MS } from '../limits.ts'
import { mergeSecrets } from '../peer/merge-secrets.ts'
import { saveGuidance } from './saved-config.ts'
import { unheard } from './unheard-guidance.ts'

export interface GuidanceSource {
  /** As it came. Rejects when no scheduler answers. */
  guidance(edge: string): Promise<unknown>
}

export interface GuidanceHolder {
  /** null before there is any. */
  readonly current: Guidance | null
  replace(guidance: Guidance): void
}

export interface GuidanceKeeperDeps {
  readonly edgeId: string
  readonly holder: GuidanceHolder
  readonly clock: Clock
  readonly log: Logger
  readonly background: Background
  /** Where guidance is kept; null: nowhere. */
  readonly directory: string | null
}

export class GuidanceKeeper {
  readonly #deps: GuidanceKeeperDeps
  #heardMs: number
  /** Named last. */
  #named = ''
  /** Cannot be read: not tried again. */
  #refused: string | null = null
  #fetching: Promise<void> | null = null
  #unsaved: Guidance | null = null
  #isSaving = false

  constructor(deps: GuidanceKeeperDeps) {
    this.#deps = deps
    this.#heardMs = deps.clock.monotonic()
  }

  /** No scheduler has answered, once more. */
  unheard(): void {
    const { holder, clock, log } = this.#deps
    const { current } = holder
    if (clock.monotonic() - this.#heardMs < GUIDANCE_UNHEARD_MS || current === null || current.version === '')
      return
    holder.replace(unheard(current))
    log.warn('no scheduler is heard: whether an origin is down is found out here')
  }

  /** What a reply of `source` names; undefined: nothing. Rejects when it is to be fetched and no scheduler answers. */
  async hear(version: string | undefined, source: GuidanceSource): Promise<void> {
    this.#heardMs = this.#deps.clock.monotonic()
    if (version === undefined) return
    this.#named = version
    if (!this.#isWanted) return
    this.#fetching ??= this.#fetch(source)
    try {
      await this.#fetching
    } finally {
      this.#fetching = null
    }
  }

  get #isWanted(): boolean {
    return this.#named !== this.#deps.holder.current?.version && this.#named !== this.#refused
  }

  async #fetch(source: GuidanceSource): Promise<void> {
    this.#take(await source.guidance(this.#deps.edgeId))
    // It changed while it was on its way: asked once more, and then with the next reply.
    if (this.#isWanted) this.#take(await source.guidance(this.#deps.edgeId))
  }

  #take(answer: unknown): void {
    const { holder, clock, log, background } = this.#deps
    try {
      const guidance = guidanceSchema.parse(answer)
      const secrets = mergeSecrets(guidance.secrets, holder.current?.secrets ?? [], clock.now())
      holder.replace({ ...guidance, secrets })
      this.#refused = null
    } catch (error) {
      this.#refused = this.#named
      log.error({ version: this.#named, reason: reasonOf(error) }, 'guidance refused: the one before holds')
      return
    }
    this.#unsaved = holder.current
    background('save guidance', this.#save())
  }

  /** The newest, one file at a time; who waits for guidance does not wait for the disk. */
  async #save(): Promise<void> {
    const { directory, log } = this.#deps
    if (directory === null || this.#isSaving) return
    this.#isSaving = true
    try {
      for (let next = this.#unsaved; next !== null; next = this.#unsaved) {
        this.#unsaved = null
        // oxlint-disable-next-line no-await-in-loop
        await saveGuidance(directory, next)
      }
    } catch (error) {
      log.error({ err: messageOf(error) }, 'guidance cannot be saved')
    } finally {
      this.#isSaving = false
    }
  }
}

/** The first thing that is wrong with it; no values: there are secrets among them. */
function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return messageOf(error)
  const [issue] = error.issues
  return `${issue?.path.join('.') || 'guidance'}: ${issue?.message ?? ''}`
}
