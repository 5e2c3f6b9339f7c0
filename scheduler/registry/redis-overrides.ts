// The overrides of a scheduler that shares a Redis: what it knows of each edge, what of that the store lacks, and
// the view that everyone else reads. It does no I/O; redis.ts reads and writes for it.
import type { EdgeOverride, OverrideRequest } from '../../src/wire/override.ts'
import { isNewer, nextOverride, overrideIn, parseStoredOverride } from './overrides.ts'
import type { StoredOverride } from './overrides.ts'

export class RedisOverrides {
  readonly #self: string
  #edges: readonly string[]
  /** Removed ones too: what was taken back must not come back from a store that missed it. */
  readonly #known = new Map<string, StoredOverride>()
  readonly #unwritten = new Set<string>()
  active: ReadonlyMap<string, EdgeOverride> = new Map()

  constructor(self: string, edges: readonly string[]) {
    this.#self = self
    this.#edges = edges
  }

  setEdges(ids: readonly string[]): void {
    this.#edges = ids
  }

  set(edge: string, wanted: OverrideRequest | null, nowMs: number): void {
    this.#known.set(edge, nextOverride(this.#known.get(edge), wanted, this.#self, nowMs))
    this.#unwritten.add(edge)
    this.#rebuild()
  }

  /** Takes what is newer, and gives true when the store lacks some of what is known here. */
  takeStored(hash: Readonly<Record<string, string>>): boolean {
    for (const id of this.#edges) {
      const text = Object.hasOwn(hash, id) ? hash[id] : undefined
      const stored = text === undefined ? undefined : parseStoredOverride(text)
      const known = this.#known.get(id)
      if (stored !== undefined && isNewer(stored, known)) {
        this.#known.set(id, stored)
        this.#unwritten.delete(id)
      } else if (known !== undefined && isNewer(known, stored)) this.#unwritten.add(id)
    }
    this.#rebuild()
    return this.hasUnwritten
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.size > 0
  }

  isWritten(edge: string): boolean {
    return !this.#unwritten.has(edge)
  }

  /** Edge and stored text of what the store lacks. */
  unwritten(): [string, string][] {
    return [...this.#unwritten].map((id) => [id, JSON.stringify(this.#known.get(id))])
  }

  /** Unless it has changed since. */
  written(entries: readonly [string, string][]): void {
    for (const [id, text] of entries) {
      if (JSON.stringify(this.#known.get(id)) === text) this.#unwritten.delete(id)
    }
  }

  #rebuild(): void {
    const active = new Map<string, EdgeOverride>()
    for (const [id, stored] of this.#known) {
      const override = overrideIn(stored)
      if (override !== undefined) active.set(id, override)
    }
    this.active = active
  }
}
