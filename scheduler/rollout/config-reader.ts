// Reads configurations for a running scheduler: its file as it is on the disk now, or a version that is kept, with what
// is this scheduler's own. Each with what it is known by.
import { createHash } from 'node:crypto'
import { ConfigError } from '../../src/config/config-error.ts'
import { coverageFrom } from '../../src/config/coverage-files.ts'
import { loadSchedulerConfig, loadSchedulerText } from '../../src/config/load.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import { identityOf } from './identity.ts'
import { readKept } from './packed-source.ts'
import type { KeptSource } from './packed-source.ts'

export interface ReadConfig extends SchedulerConfig {
  /** The same for all that say the same for the cluster. */
  readonly hash: string
  /** Of the settings with all that they refer to. */
  readonly digest: string
}

export class ConfigReader {
  /** As it was named. */
  readonly file: string
  readonly #directory: string
  readonly #own: unknown
  readonly #env: NodeJS.ProcessEnv

  /** `started`: what the scheduler was started with; its own keys are those of the process. */
  constructor({ file, directory, own }: SchedulerConfig, env: NodeJS.ProcessEnv) {
    this.file = file
    this.#directory = directory
    this.#own = own
    this.#env = env
  }

  /** Throws ConfigError. */
  async fromFile(): Promise<ReadConfig> {
    return identified(await loadSchedulerConfig(this.file, this.#env))
  }

  /** Throws ConfigError, whose lines are those of the version's text. */
  async ofVersion(number: number, kept: KeptSource): Promise<ReadConfig> {
    const read = readKept(kept, coverageFrom(this.#directory))
    try {
      return identified(await loadSchedulerText(this.file, kept.text, this.#env, { read, own: this.#own }))
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`version ${number}`, error.problems)
      throw error
    }
  }
}

export function identified(config: SchedulerConfig): ReadConfig {
  const digest = createHash('sha256').update(JSON.stringify(config.settings)).digest('hex')
  return { ...config, hash: identityOf(config.source), digest }
}
