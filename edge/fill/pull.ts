// One upstream answer being cut into slices. Lives apart from the clients that wanted it: the first may
// leave, others may join. How far it reads ahead depends on what may become of the bytes:
//   free       small or of unknown length and storable: to the end, wanted or not
//   on-demand  large and storable: a slice further whenever any reader wants one
//   lockstep   not storable: a piece further once every reader has asked for it
import { EdgewardError } from '../../src/errors.ts'
import { sliceLength } from '../cache/object-meta.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { PULL_IDLE_MS, WHOLE_PULL_SLICES_MAX } from '../limits.ts'
import type { UpstreamFlow } from '../upstream/upstream.ts'
import { SliceBuffer } from './slice-buffer.ts'

export type PullMode = 'free' | 'on-demand' | 'lockstep'

export interface PullOwner {
  /** A slice begins to arrive: others may follow it. */
  sliceStarted(pull: Pull, slice: SliceBuffer): void
  /** A slice is complete. */
  sliceCompleted(pull: Pull, slice: SliceBuffer): void
  /** The whole answer is there; for a body of unknown length the meta now has one. */
  ended(pull: Pull): void
  failed(pull: Pull, error: EdgewardError): void
  /** Waits at a slice boundary until a reader wants that slice: whoever does may join. */
  parked(pull: Pull, index: number): void
  /** Given up at a slice boundary because nobody wanted more. */
  abandoned(pull: Pull): void
  /** Turned out too long to be kept. */
  unstorable(pull: Pull): void
}

/** One client's place in a pull. */
export interface PullReader {
  /** The slice it wants next or is reading. */
  demand: number
}

export class Pull {
  meta: ObjectMeta
  mode: PullMode
  private readonly owner: PullOwner
  private readonly flow: UpstreamFlow
  private readonly readers = new Set<PullReader>()
  /** The slice being filled, and those of a body of unknown length, or in lockstep, that readers may still want. */
  private readonly held = new Map<number, SliceBuffer>()
  private current: SliceBuffer | null = null
  private nextIndex: number
  private readonly firstIndex: number
  private readonly lastIndex: number
  /** Bytes that arrived beyond a slice boundary that may not be crossed yet. */
  private spill: Buffer[] = []
  private upstreamEnded = false
  /** The first reader comes a moment after the head, and much of the body may be here by then. */
  private wasRead = false
  private over = false
  private progress: PromiseWithResolvers<void> | null = null
  private idle: NodeJS.Timeout | null = null

  /** Bytes come from the start of slice `firstIndex` up to `endOffset` (null: unknown). */
  constructor(
    owner: PullOwner,
    flow: UpstreamFlow,
    meta: ObjectMeta,
    storable: boolean,
    firstIndex: number,
    endOffset: number | null,
  ) {
    this.owner = owner
    this.flow = flow
    this.meta = meta
    this.firstIndex = firstIndex
    this.nextIndex = firstIndex
    const end = endOffset ?? meta.length
    this.lastIndex =
      end === null ? Number.POSITIVE_INFINITY : Math.max(firstIndex, Math.ceil(end / meta.sliceBytes) - 1)
    const small = end === null || this.lastIndex - firstIndex < WHOLE_PULL_SLICES_MAX
    this.mode = storable ? (small ? 'free' : 'on-demand') : 'lockstep'
    this.startSlice()
  }

  /** The slice it comes to next. */
  get next(): number {
    return this.nextIndex
  }

  /** How fast it ends is up to its clients, who may be slow: nobody can take over from where it is. */
  get pacedByClients(): boolean {
    if (this.mode === 'lockstep') return this.meta.length === null || this.meta.length > this.meta.sliceBytes
    return this.mode === 'on-demand' && !this.meta.ranges
  }

  /** The client must leave() when it is done. */
  attach(firstDemand: number): PullReader {
    // What it will be asked for elsewhere is no reason to pull all that lies before.
    const reader: PullReader = { demand: this.reaches(firstDemand) ? firstDemand : this.firstIndex }
    this.readers.add(reader)
    this.wasRead = true
    return reader
  }

  leave(reader: PullReader): void {
    if (!this.readers.delete(reader) || this.over) return
    if (this.readers.size > 0 || this.mode === 'free') this.proceed()
    else if (this.mode === 'lockstep' || this.current === null) this.abort()
  }

  /** The slice if this pull has it in hand; asks for it if it comes next. */
  slice(reader: PullReader, index: number): SliceBuffer | undefined {
    reader.demand = index
    if (!this.over) this.proceed()
    this.release()
    return this.held.get(index)
  }

  /** Whether it will come to this slice without skipping far ahead of what it holds. */
  reaches(index: number): boolean {
    if (this.held.has(index)) return true
    if (this.over || index < this.nextIndex || index > this.lastIndex) return false
    return this.mode !== 'on-demand' || !this.meta.ranges || index <= this.nextIndex
  }

  /** It should have come to this slice, is over, and cannot be asked again. */
  lost(index: number): boolean {
    return this.over && this.mode === 'lockstep' && index <= this.lastIndex
  }

  onData(chunk: Buffer): void {
    if (this.over) return
    if (this.spill.length > 0) this.spill.push(chunk)
    else this.take(chunk)
  }

  onEnd(): void {
    if (this.over) return
    this.upstreamEnded = true
    if (this.spill.length === 0) this.finish()
  }

  onError(error: EdgewardError): void {
    if (this.over) return
    this.close()
    this.current?.fail(error)
    this.owner.failed(this, error)
  }

  /** Nobody wants the rest. */
  abort(): void {
    if (this.over) return
    this.close()
    this.flow.abort()
    this.current?.fail(new EdgewardError('origin_truncated', 'self', 'pull was abandoned', { retry: true }))
    this.owner.abandoned(this)
  }

  /** It goes no further, and its readers are cut. */
  fail(error: EdgewardError): void {
    if (this.over) return
    this.onError(error)
    this.flow.abort()
  }

  /** Resolves when a slice starts or the pull is over. */
  changed(): Promise<void> {
    this.progress ??= Promise.withResolvers<void>()
    return this.progress.promise
  }

  private take(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0 && !this.over) {
      if (this.current === null && !this.startSlice()) {
        this.spill.push(rest)
        this.flow.pause()
        return
      }
      const slice = this.current
      if (slice === null) return
      rest = rest.subarray(slice.append(rest))
      if (slice.room === 0) this.completeSlice(slice)
    }
  }

  /** Begins the next slice if it may; false at a boundary that must wait, or behind the end. */
  private startSlice(): boolean {
    if (this.nextIndex > this.lastIndex) {
      this.fail(new EdgewardError('origin_protocol', 'origin', 'more bytes than announced'))
      return false
    }
    if (this.nextIndex > this.firstIndex && !this.mayAdvance()) return false
    this.idleStop()
    // Should there be no place free, it keeps the one it waited in.
    if (this.mode === 'on-demand' && this.meta.ranges) this.flow.hold('filling')
    const known = this.meta.length !== null
    const capacity = known
      ? sliceLength(this.meta.length ?? 0, this.meta.sliceBytes, this.nextIndex)
      : this.meta.sliceBytes
    const slice = new SliceBuffer(this.nextIndex, capacity, known)
    this.nextIndex++
    this.current = slice
    this.held.set(slice.index, slice)
    this.owner.sliceStarted(this, slice)
    this.wake()
    if (capacity === 0) this.completeSlice(slice)
    return true
  }

  private mayAdvance(): boolean {
    if (this.mode === 'free') return true
    if (this.readers.size === 0) return false
    for (const reader of this.readers) {
      if (this.mode === 'on-demand' && reader.demand >= this.nextIndex) return true
      if (this.mode === 'lockstep' && reader.demand < this.nextIndex) return false
    }
    return this.mode === 'lockstep'
  }

  private completeSlice(slice: SliceBuffer): void {
    this.current = null
    slice.complete()
    if (this.mode !== 'lockstep' && this.meta.length !== null) this.owner.sliceCompleted(this, slice)
    else if (this.mode !== 'lockstep' && this.held.size >= WHOLE_PULL_SLICES_MAX) {
      // Of unknown length and already as long as what is kept whole: from here on it only passes through.
      this.mode = 'lockstep'
      this.owner.unstorable(this)
      // Those it could pass through to have come and left: nobody would ever ask for the next piece.
      if (this.wasRead && this.readers.size === 0) this.abort()
      else if (!this.flow.hold('passing'))
        this.fail(new EdgewardError('origin_busy', 'self', 'too many bodies go at their clients’ pace'))
    }
    if (this.over) return
    if (!this.startNext() && this.mode === 'on-demand' && this.nextIndex <= this.lastIndex) this.park()
  }

  /** Waits at a boundary; a place at the origin for that is to be had only so often. */
  private park(): void {
    this.idleStart()
    // Nobody can ask for the rest of it: its place is one for slow clients from the start.
    if (!this.meta.ranges) return
    if (this.flow.hold('parked')) this.owner.parked(this, this.nextIndex)
    else this.abort()
  }

  /** At once, not with its first byte: who comes between two slices must find the next in flight. */
  private startNext(): boolean {
    if (this.mode === 'lockstep' || this.meta.length === null || this.nextIndex > this.lastIndex) return false
    return this.mayAdvance() && this.startSlice()
  }

  /** Goes on across a boundary when a reader's wish allows it. */
  private proceed(): void {
    if (this.current !== null || !this.mayAdvance()) return
    this.idleStop()
    const waiting = this.spill
    this.spill = []
    for (const [i, chunk] of waiting.entries()) {
      this.take(chunk)
      if (this.spill.length > 0) {
        this.spill.push(...waiting.slice(i + 1))
        return
      }
    }
    if (this.over) return
    if (this.upstreamEnded) {
      this.finish()
      return
    }
    if (this.current === null) this.startNext()
    this.flow.resume()
  }

  /** Lets go of slices that no reader of this pull needs from it any more. */
  private release(): void {
    if (this.meta.length === null && this.mode === 'free') return
    const newest = this.current?.index ?? this.nextIndex - 1
    let least = newest
    for (const reader of this.readers) least = Math.min(least, reader.demand)
    // These are stored: a slow reader finds them in the cache, and must not have the rest of a film held for it.
    if (this.mode === 'on-demand') least = Math.max(least, newest - 1)
    for (const index of this.held.keys()) if (index < least) this.held.delete(index)
  }

  private finish(): void {
    if (this.over) return
    const slice = this.current
    if (this.meta.length === null) {
      this.meta = { ...this.meta, length: this.lengthSoFar() }
    } else if (slice !== null || this.nextIndex <= this.lastIndex) {
      this.onError(
        new EdgewardError('origin_truncated', 'origin', 'fewer bytes than announced', { retry: true }),
      )
      return
    }
    this.close()
    this.current = null
    slice?.complete()
    this.owner.ended(this)
  }

  /** All slices of a body of unknown length that is now complete, in order. */
  heldSlices(): SliceBuffer[] {
    return [...this.held.values()]
  }

  private lengthSoFar(): number {
    const last = this.current
    return last === null
      ? this.nextIndex * this.meta.sliceBytes
      : last.index * this.meta.sliceBytes + last.received
  }

  private close(): void {
    this.over = true
    this.spill = []
    this.idleStop()
    this.wake()
  }

  private wake(): void {
    const progress = this.progress
    this.progress = null
    progress?.resolve()
  }

  /** An upstream that answers ranges need not be kept waiting: it can be asked again. Without readers, none need. */
  private idleStart(): void {
    if (!this.meta.ranges && this.readers.size > 0) return
    this.idle ??= setTimeout(() => this.abort(), PULL_IDLE_MS)
    this.idle.unref()
  }

  private idleStop(): void {
    if (this.idle !== null) clearTimeout(this.idle)
    this.idle = null
  }
}
