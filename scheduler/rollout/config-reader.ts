// Reads configurations for a running scheduler: its file as it is on the disk now, or a version that is kept, with what
// is this scheduler's own.
import { ConfigError } from '../../src/config/config-error.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import type { KeptSource } from './packed-source.ts'
import { readConfigAside } from './read-config.ts'
import type { ReadConfig } from './read-config.ts'

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
  fromFile(): Promise<ReadConfig> {
    return this.#read(null)
  }

  /** Throws ConfigError, whose lines are those of the version's text. */
  async ofVersion(number: number, source: KeptSource): Promise<ReadConfig> {
    try {
      return await this.#read({ source, own: this.#own })
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`version ${number}`, error.problems)
      throw error
    }
  }

  #read(kept: { source: KeptSource; own: unknown } | null): Promise<ReadConfig> {
    return readConfigAside({ file: this.file, directory: this.#directory, env: { ...this.#env }, kept })
  }
}
