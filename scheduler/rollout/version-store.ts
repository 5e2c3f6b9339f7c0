// The versions of the cluster's configuration, each with what it was made from: the interface that memory-versions.ts
// and redis-versions.ts implement. The latest is the current one. Looking at them waits for nobody.
import type { ConfigVersion } from '../../src/wire/config-rollout.ts'
import type { KeptSource } from './packed-source.ts'

/** Before it has its number. */
export type NewVersion = Omit<ConfigVersion, 'number' | 'atMs'>

export interface VersionStore {
  /** What is kept, oldest first; null: it was not read yet, since the store is away. */
  versions(): readonly ConfigVersion[] | null
  /** Looks for what other schedulers added. Never fails; in bounded time. */
  refresh(): Promise<void>
  /** What a version was made from; undefined: it is not kept. */
  sourceOf(number: number): KeptSource | undefined
  /**
   * Makes it the current one, behind the version `after` (0: the first), with what `packSource` made. Gives null where
   * another came first: look again. Rejects with NotKeptError.
   */
  append(version: NewVersion, packed: Buffer, after: number): Promise<ConfigVersion | null>
  /** Called when versions have come that another scheduler added; one listener. */
  onChange: (() => void) | null
  close(): void
}

/** The store is away: the version may be kept, or not. */
export class NotKeptError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'NotKeptError'
  }
}
