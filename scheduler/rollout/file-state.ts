// Whether the file on the disk is what runs, for who asks for the status. A text that names no files of networks is read
// once: a large one takes a while.
import { ConfigError, formatProblem } from '../../src/config/config-error.ts'
import { readConfigText } from '../../src/config/yaml-file.ts'
import type { ConfigStatus, ConfigVersion } from '../../src/wire/config-rollout.ts'
import type { ConfigReader } from './config-reader.ts'
import { standingOfFile } from './standing-of-file.ts'

type FileState = ConfigStatus['file']

export class FileStates {
  readonly #reader: ConfigReader
  #looked: { readonly text: string; readonly hash: string } | null = null

  constructor(reader: ConfigReader) {
    this.#reader = reader
  }

  /** `running`: the identity of what runs. */
  async look(running: string, versions: readonly ConfigVersion[]): Promise<FileState> {
    const path = this.#reader.file
    try {
      const hash = await this.#hash()
      if (hash === running) return { path, state: 'same', version: null, problem: null }
      const standing = standingOfFile(hash, versions)
      if (standing.is === 'unknown') return { path, state: 'changed', version: null, problem: null }
      return { path, state: 'version', version: standing.version.number, problem: null }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const [first] = error.problems
      const problem = first === undefined ? '' : formatProblem(error.file, first)
      return { path, state: 'unreadable', version: null, problem }
    }
  }

  async #hash(): Promise<string> {
    const text = await readConfigText(this.#reader.file)
    if (this.#looked?.text === text) return this.#looked.hash
    const { hash, settings } = await this.#reader.fromFile()
    const hasFiles = settings.sites.some(({ coverage }) => coverage.file !== undefined)
    this.#looked = hasFiles ? null : { text, hash }
    return hash
  }
}
