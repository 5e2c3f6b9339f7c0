// Fetches what a player will ask for next into the cache, in the background and within bounds. Never what is cached or
// on its way. Counts what it fetched, and what of it nobody asked for.
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { Cache } from '../cache/cache.ts'
import { isFresh } from '../cache/freshness.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { FetchTarget } from '../fill/fetch.ts'
import type { Fills } from '../fill/fills.ts'
import { ObjectReader } from '../fill/object-reader.ts'
import { PrefetchLedger } from './prefetch-ledger.ts'

/** Running at once, for one property and in all: beyond it a wish is dropped, since its moment passes. */
const RUNNING_EACH_MAX = 8
const RUNNING_MAX = 32

export interface PrefetchWish {
  propertyId: string
  target: FetchTarget
  /** Half-open; null: all of it. */
  range: { start: number; end: number } | null
}

export class Prefetcher {
  readonly ledger: PrefetchLedger
  /** Wishes dropped because a bound was reached. */
  dropped = 0
  private readonly cache: Cache
  private readonly fills: Fills
  private readonly clock: Clock
  private readonly background: Background
  private readonly running = new Map<string, number>()
  private readonly keys = new Set<string>()

  constructor(cache: Cache, fills: Fills, clock: Clock, background: Background) {
    this.cache = cache
    this.fills = fills
    this.clock = clock
    this.background = background
    this.ledger = new PrefetchLedger(() => clock.monotonic())
  }

  want(wish: PrefetchWish): void {
    const { propertyId, target } = wish
    const { key } = target
    if (this.keys.has(key) || this.fills.isFetching(key) || this.isGood(this.cache.findMeta(key))) return
    const running = this.running.get(propertyId) ?? 0
    if (running >= RUNNING_EACH_MAX || this.keys.size >= RUNNING_MAX) {
      this.dropped++
      return
    }
    this.keys.add(key)
    this.running.set(propertyId, running + 1)
    const work = this.fetch(wish).finally(() => {
      this.keys.delete(key)
      const left = (this.running.get(propertyId) ?? 1) - 1
      if (left === 0) this.running.delete(propertyId)
      else this.running.set(propertyId, left)
    })
    this.background('prefetch', work)
  }

  /** Fresh, or kept in variants, of which a player's own request selects one. */
  private isGood(meta: ObjectMeta | undefined): boolean {
    return meta !== undefined && (meta.selecting.length > 0 || isFresh(meta, this.clock.now()))
  }

  private async fetch({ target, range }: PrefetchWish): Promise<void> {
    const stored = this.cache.findMeta(target.key) ?? (await this.cache.loadMeta(target.key))
    // On its way meanwhile, by a player's own request.
    if (this.isGood(stored) || this.fills.isFetching(target.key)) return
    const outcome = await this.fills.fetch(target, stored, range?.start ?? 0)
    if (outcome.kind !== 'object') return
    const { meta, pull, storable } = outcome
    // What cannot be kept, or is an error, is not worth the rest of it.
    if (!storable || meta.status !== 200) {
      pull.leave(pull.attach(0))
      return
    }
    const start = Math.min(range?.start ?? 0, meta.length ?? 0)
    const end = Math.min(range?.end ?? Number.POSITIVE_INFINITY, meta.length ?? Number.POSITIVE_INFINITY)
    const reader = new ObjectReader(this.cache, this.fills, () => target, meta, { start, end }, pull)
    // Joined to a request of a player's own, it costs nothing more and is nobody's waste.
    if (!outcome.collapsed) this.ledger.began(target.primaryKey)
    let bytes = 0
    try {
      for (let piece = await reader.next(); piece !== null; piece = await reader.next()) bytes += piece.length
    } finally {
      reader.close()
      if (!outcome.collapsed) this.ledger.ended(target.primaryKey, bytes)
    }
  }
}
