// The versions of a lone scheduler, in this process: gone when it ends.
import type { Clock } from '../../src/clock.ts'
import type { ConfigVersion } from '../../src/wire/config-rollout.ts'
import { CONFIG_VERSIONS_KEPT } from '../limits.ts'
import { unpackSource } from './packed-source.ts'
import type { KeptSource } from './packed-source.ts'
import type { NewVersion, VersionStore } from './version-store.ts'

export class MemoryVersions implements VersionStore {
  onChange: (() => void) | null = null
  readonly #clock: Clock
  readonly #packed = new Map<number, Buffer>()
  #versions: readonly ConfigVersion[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  versions(): readonly ConfigVersion[] {
    return this.#versions
  }

  /** There are no others. */
  async refresh(): Promise<void> {}

  sourceOf(number: number): KeptSource | undefined {
    const packed = this.#packed.get(number)
    return packed === undefined ? undefined : unpackSource(packed)
  }

  async append(version: NewVersion, packed: Buffer, after: number): Promise<ConfigVersion | null> {
    const last = this.#versions.at(-1)?.number ?? 0
    if (after !== last) return null
    const appended = { ...version, number: last + 1, atMs: this.#clock.now() }
    this.#versions = [...this.#versions, appended].slice(-CONFIG_VERSIONS_KEPT)
    this.#packed.set(appended.number, packed)
    this.#packed.delete(appended.number - CONFIG_VERSIONS_KEPT)
    return appended
  }

  close(): void {
    this.onChange = null
  }
}
