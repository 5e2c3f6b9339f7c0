// Whether the file on the disk is what runs, for who asks for the status. As long as neither it nor the files of networks
// that it names change, it is read once: a large one takes a while.
import path from 'node:path'
import { ConfigError, formatProblem } from '../../src/config/config-error.ts'
import { readConfigText } from '../../src/config/yaml-file.ts'
import { stampOfFile } from '../../src/geo/places.ts'
import type { ConfigStatus, ConfigVersion } from '../../src/wire/config-rollout.ts'
import type { ConfigReader } from './config-reader.ts'
import { standingOfFile } from './standing-of-file.ts'

type FileState = ConfigStatus['file']

interface Looked {
  readonly text: string
  /** Of networks, absolute. */
  readonly files: readonly string[]
  readonly stamps: string
  readonly hash: string
}

/** Its identity, or what is wrong with it. */
type Found = { readonly hash: string } | { readonly problem: string }

export class FileStates {
  readonly #reader: ConfigReader
  #looked: Looked | null = null
  #looking: Promise<Found> | null = null

  constructor(reader: ConfigReader) {
    this.#reader = reader
  }

  /** `running`: the identity of what runs. */
  async look(running: string, versions: readonly ConfigVersion[]): Promise<FileState> {
    this.#looking ??= this.#find().finally(() => (this.#looking = null))
    const found = await this.#looking
    const state = { path: this.#reader.file, version: null, problem: null }
    if ('problem' in found) return { ...state, state: 'unreadable', problem: found.problem }
    if (found.hash === running) return { ...state, state: 'same' }
    const standing = standingOfFile(found.hash, versions)
    if (standing.is === 'unknown') return { ...state, state: 'changed' }
    return { ...state, state: 'version', version: standing.version.number }
  }

  async #find(): Promise<Found> {
    try {
      const text = await readConfigText(this.#reader.file)
      const before = this.#looked
      if (before?.text === text && before.stamps === (await stampsOf(before.files))) return before
      const { hash, settings, directory } = await this.#reader.fromFile()
      const files = settings.sites.flatMap(({ coverage }) =>
        coverage.file === undefined ? [] : path.resolve(directory, coverage.file),
      )
      this.#looked = { text, files, stamps: await stampsOf(files), hash }
      return this.#looked
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const [first] = error.problems
      return { problem: first === undefined ? '' : formatProblem(error.file, first) }
    }
  }
}

async function stampsOf(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map(stampOfFile))).join('\n')
}
