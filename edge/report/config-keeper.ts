// Keeps the configuration that the scheduler wants this edge to run. A new one is checked and built aside, then swapped
// in whole and saved; one that cannot be run here changes nothing, and the reports say why.
import { z } from 'zod'
import { formatKeyPath } from '../../src/config/key-path.ts'
import { messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { edgeConfigSchema } from '../../src/wire/edge-config.ts'
import type { EdgeConfig } from '../../src/wire/edge-config.ts'
import { CONFIG_REASON_CHARS_MAX } from '../../src/wire/report.ts'
import type { ConfigRefusal } from '../../src/wire/report.ts'
import { buildPropertyTable } from '../property/property-table.ts'
import type { PropertyTable } from '../property/property-table.ts'
import { saveConfig } from './saved-config.ts'

export interface ConfigSource {
  /** The configuration as it came. `atLeast`: answered once the scheduler runs that version, or after a while. */
  config(atLeast: number | null): Promise<unknown>
}

export interface ConfigKeeperDeps {
  readonly source: ConfigSource
  /** Read by every request; replaced whole. */
  readonly edge: { readonly id: string; readonly log: Logger; table: PropertyTable }
  /** Where the configuration is kept; null: nowhere. */
  readonly directory: string | null
}

/** Of one that may be no configuration of this version of Edgeward. */
const versionedSchema = z.looseObject({ version: z.string() })

export class ConfigKeeper {
  readonly #deps: ConfigKeeperDeps
  #refusal: ConfigRefusal | null = null
  /** By when they were asked for: an answer that was overtaken by a later one's is dropped. */
  #asked = 0
  #taken = 0
  /** One file at a time. */
  #saving: Promise<void> = Promise.resolve()

  constructor(deps: ConfigKeeperDeps) {
    this.#deps = deps
  }

  /** The last that was sent and cannot be run; null when it runs what it was sent last. */
  get refusal(): ConfigRefusal | null {
    return this.#refusal
  }

  /** Whether it is to be fetched. What was refused once is not tried again. */
  wants(version: string): boolean {
    return version !== this.#deps.edge.table.version && version !== this.#refusal?.version
  }

  /** Fetches it and makes it the one that runs, or says in `refusal` why not. Rejects when no scheduler answers. */
  async take(atLeast: number | null = null): Promise<void> {
    const asked = (this.#asked += 1)
    const answer = await this.#deps.source.config(atLeast)
    if (asked < this.#taken) return
    this.#taken = asked
    const { version } = versionedSchema.parse(answer)
    if (this.wants(version)) await this.#apply(version, answer)
  }

  async #apply(version: string, answer: unknown): Promise<void> {
    const { edge } = this.#deps
    let config: EdgeConfig
    try {
      config = edgeConfigSchema.parse(answer)
      edge.table = buildPropertyTable(config, edge.id)
    } catch (error) {
      const reason = reasonOf(error).slice(0, CONFIG_REASON_CHARS_MAX)
      this.#refusal = { version, reason }
      edge.log.error({ version, reason }, 'configuration refused: the one before runs on')
      return
    }
    this.#refusal = null
    edge.log.info({ version, properties: config.properties.length }, 'configuration taken')
    await this.#save(config)
  }

  /** What runs need not wait for a disk that is full: the edge would start with an older one, and fetch it again. */
  async #save(config: EdgeConfig): Promise<void> {
    const { directory, edge } = this.#deps
    if (directory === null) return
    this.#saving = this.#saving
      .then(() => saveConfig(directory, config))
      .catch((error: unknown) => edge.log.error({ err: messageOf(error) }, 'configuration cannot be saved'))
    await this.#saving
  }
}

/** Key paths and what is wrong with them; no values. */
function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return messageOf(error)
  return error.issues
    .map(({ path, message }) => {
      const steps = path.filter((step) => typeof step !== 'symbol')
      return steps.length === 0 ? message : `${formatKeyPath(steps)}: ${message}`
    })
    .join('; ')
}
