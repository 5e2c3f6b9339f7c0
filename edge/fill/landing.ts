// Where pulled bytes come down: slices that are arriving, for others to follow, and finished ones into the
// cache. Knows what was invalidated while it was on its way, and keeps none of that.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../src/clock.ts'
import type { PeerTier } from '../../src/wire/guidance.ts'
import type { Cache } from '../cache/cache.ts'
import { sliceName } from '../cache/object-meta.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { KEYS_BYTES_MAX } from '../limits.ts'
import { isHeld, isSameBody, purgeVerdictOf } from '../purge/held.ts'
import type { BodyObserver } from '../playlist/playlist-observer.ts'
import { mayWaitFor } from '../upstream/tier.ts'
import type { UpstreamTier } from '../upstream/tier.ts'
import type { Pull, PullOwner } from './pull.ts'
import type { SliceBuffer } from './slice-buffer.ts'

/** What an entry of a map costs besides its key's text: about. */
const ENTRY_BYTES = 200

interface SliceFlight {
  pull: Pull
  meta: ObjectMeta
  slice: SliceBuffer
}

export interface PullRecord {
  /** Key without variant: what an invalidation names. */
  primaryKey: string
  /** When its request was sent. */
  askedMs: number
  /** Where its answer comes from. */
  tier: UpstreamTier
  /** Stops others from joining; null when nobody could. */
  forget: (() => void) | null
}

export class Landing implements PullOwner {
  private readonly cache: Cache
  private readonly clock: Clock
  private readonly observer: BodyObserver
  private readonly slices = new Map<string, SliceFlight>()
  /** Pulls that wait at a boundary, by the slice that comes next. */
  private readonly waiting = new Map<string, Pull>()
  private readonly records = new WeakMap<Pull, PullRecord>()
  /** Pulls whose length was not announced, and which are stored only once they are whole. */
  private readonly ofUnknownLength = new Set<Pull>()
  /** Primary key → when it was invalidated last, as the how-manieth of all. */
  private readonly invalidated = new LRUCache<string, { atMs: number; nth: number }>({
    maxSize: KEYS_BYTES_MAX,
    sizeCalculation: (_last, key) => key.length + ENTRY_BYTES,
  })
  private invalidationCount = 0

  constructor(cache: Cache, clock: Clock, observer: BodyObserver) {
    this.cache = cache
    this.clock = clock
    this.observer = observer
  }

  get running(): number {
    return this.slices.size
  }

  /** The head is known: from now on the cache answers for the object, or others keep joining, or nobody may. */
  announce(pull: Pull, storable: boolean, record: PullRecord): void {
    this.records.set(pull, record)
    if (!storable) {
      record.forget?.()
      return
    }
    if (pull.meta.length !== null) {
      if (this.isWanted(pull)) this.cache.setMeta(pull.meta)
      record.forget?.()
      return
    }
    this.ofUnknownLength.add(pull)
    if (pull.meta.lifetimeMs === 0) record.forget?.()
  }

  /** Nothing that was asked for before now is kept for this key. */
  invalidate(primaryKey: string): Promise<void> {
    this.invalidated.set(primaryKey, { atMs: this.clock.now(), nth: ++this.invalidationCount })
    return this.cache.invalidate(primaryKey)
  }

  /** Another number than before: it was invalidated in between. */
  lastInvalidation(primaryKey: string): number {
    return this.invalidated.get(primaryKey)?.nth ?? 0
  }

  /** A slice of this version that is arriving now, and that a request of `askedAs` may wait for. */
  sliceInFlight(meta: ObjectMeta, index: number, askedAs: PeerTier | null): SliceBuffer | undefined {
    const flight = this.slices.get(sliceName(meta.key, index))
    if (flight === undefined || !this.isOf(meta, flight.meta)) return undefined
    return this.isAhead(flight.pull, askedAs) ? flight.slice : undefined
  }

  /** A pull of this version that goes on with this slice as soon as a reader wants it. */
  parkedAt(meta: ObjectMeta, index: number, askedAs: PeerTier | null): Pull | undefined {
    const pull = this.waiting.get(sliceName(meta.key, index))
    if (pull === undefined || !this.isOf(meta, pull.meta)) return undefined
    return this.isAhead(pull, askedAs) ? pull : undefined
  }

  parked(pull: Pull, index: number): void {
    const name = sliceName(pull.meta.key, index)
    const before = this.waiting.get(name)
    if (before === undefined || !isHeld(before.meta, this.cache.purges)) this.waiting.set(name, pull)
  }

  sliceStarted(pull: Pull, slice: SliceBuffer): void {
    this.noLongerParked(pull, slice.index)
    if (pull.mode === 'lockstep' || pull.meta.length === null) return
    const name = sliceName(pull.meta.key, slice.index)
    const flight = this.slices.get(name)
    // One that was asked for before a purge is of no use to those who come now.
    if (flight === undefined || !isHeld(flight.meta, this.cache.purges))
      this.slices.set(name, { pull, meta: pull.meta, slice })
  }

  sliceCompleted(pull: Pull, slice: SliceBuffer): void {
    this.landed(pull, slice)
    if (!this.isWanted(pull)) return
    const body = slice.body()
    const { meta } = pull
    this.observe(pull, body)
    if (pull.meta !== meta) this.cache.setMeta(pull.meta)
    this.cache.store(pull.meta, slice.index, body)
  }

  ended(pull: Pull): void {
    if (pull.mode === 'lockstep' || !this.ofUnknownLength.delete(pull)) return
    if (this.isWanted(pull)) {
      const bodies = pull.heldSlices().map((slice) => ({ slice, body: slice.body() }))
      if (bodies[0] !== undefined) this.observe(pull, bodies[0].body)
      this.cache.setMeta(pull.meta)
      for (const { slice, body } of bodies) {
        if (slice.received > 0 || slice.index === 0) this.cache.store(pull.meta, slice.index, body)
      }
    }
    this.forget(pull)
  }

  failed(pull: Pull): void {
    this.cache.dropMeta(pull.meta)
    this.abandoned(pull)
  }

  abandoned(pull: Pull): void {
    for (const slice of pull.heldSlices()) this.landed(pull, slice)
    this.noLongerParked(pull, pull.next)
    this.unstorable(pull)
  }

  unstorable(pull: Pull): void {
    this.ofUnknownLength.delete(pull)
    this.forget(pull)
  }

  /** A body that lies in one slice may say itself how long it lives. */
  private observe(pull: Pull, body: Buffer): void {
    const record = this.records.get(pull)
    const { meta } = pull
    if (record === undefined || meta.length !== body.length) return
    pull.meta = this.observer({ meta, body, primaryKey: record.primaryKey })
  }

  private forget(pull: Pull): void {
    this.records.get(pull)?.forget?.()
  }

  private isWanted(pull: Pull): boolean {
    if (this.isPurged(pull.meta)) return false
    const record = this.records.get(pull)
    if (record === undefined) return true
    return (this.invalidated.get(record.primaryKey)?.atMs ?? Number.NEGATIVE_INFINITY) < record.askedMs
  }

  /** Since it was asked for. What is only stale may be of use, unless something newer is here. */
  private isPurged(meta: ObjectMeta): boolean {
    const { purges } = this.cache
    if (isHeld(meta, purges)) return false
    if (purgeVerdictOf(meta, purges) === 'gone') return true
    return (this.cache.findMeta(meta.key)?.asOf ?? 0) > meta.asOf
  }

  /** Its bytes do not come from where the request may have come from. */
  private isAhead(pull: Pull, askedAs: PeerTier | null): boolean {
    return mayWaitFor(askedAs, this.records.get(pull)?.tier ?? 'peers')
  }

  private isOf(meta: ObjectMeta, arriving: ObjectMeta): boolean {
    return isSameBody(meta, arriving, this.cache.purges)
  }

  private noLongerParked(pull: Pull, index: number): void {
    const name = sliceName(pull.meta.key, index)
    if (this.waiting.get(name) === pull) this.waiting.delete(name)
  }

  private landed(pull: Pull, slice: SliceBuffer): void {
    const name = sliceName(pull.meta.key, slice.index)
    if (this.slices.get(name)?.slice === slice) this.slices.delete(name)
  }
}
