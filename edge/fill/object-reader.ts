// Reads a range of one object, slice after slice, from wherever each slice is: memory, a pull under way, disk,
// or a new pull. Gives pieces without copying; each holds until the next is asked for.
import assert from 'node:assert'
import { EdgewardError } from '../../src/errors.ts'
import type { PeerTier } from '../../src/wire/guidance.ts'
import type { Cache } from '../cache/cache.ts'
import type { DiskSlice } from '../cache/disk/disk-tier.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { READ_BUFFER_BYTES } from '../limits.ts'
import { isSameBody } from '../purge/held.ts'
import type { FetchTarget } from './fetch.ts'
import type { Fills } from './fills.ts'
import type { Pull, PullReader } from './pull.ts'
import { SliceBuffer } from './slice-buffer.ts'

/** Where the first byte came from. */
export type ReadSource = 'memory' | 'disk' | 'flight' | 'upstream'

/** The object at the origin is not the one whose head was sent: what follows would be other bytes. */
export class VersionChanged extends EdgewardError {
  constructor() {
    super('origin_truncated', 'origin', 'the object changed at the origin', { retry: true })
  }
}

type OpenSlice = Buffer | SliceBuffer | DiskSlice

/** A slice that failed to arrive is asked for once more, if none of it was sent. */
const ATTEMPTS_MAX = 2

export class ObjectReader {
  source: ReadSource | null = null
  private readonly cache: Cache
  private readonly fills: Fills
  private readonly target: () => FetchTarget
  private readonly meta: ObjectMeta
  private position: number
  /** Infinity until the length of a body of unknown length is known. */
  private end: number
  private pull: Pull | null
  private place: PullReader | null = null
  private role: Pick<FetchTarget, 'askedAs'> | null = null
  private open: OpenSlice | null = null
  /** Pooled buffers for disk reads: one being written to the client, one being read into. */
  private buffers: [Buffer, Buffer] | null = null
  private turn = 0
  private ahead: Promise<number> | null = null
  private aheadBytes = 0
  /** The last slice that could not be read to its end. */
  private lost = -1
  private closed = false

  constructor(
    cache: Cache,
    fills: Fills,
    target: () => FetchTarget,
    meta: ObjectMeta,
    range: { start: number; end: number },
    pull: Pull | null,
  ) {
    this.cache = cache
    this.fills = fills
    this.target = target
    this.meta = meta
    this.position = range.start
    this.end = range.end
    this.pull = pull
    if (pull !== null) this.place = pull.attach(this.index)
  }

  /** The next piece; null at the end. Throws an EdgewardError when the rest cannot be had. */
  async next(): Promise<Buffer | null> {
    while (this.position < this.knownEnd()) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other is the point
      this.open ??= await this.openSlice(this.index)
      const open = this.open
      if (open === null) continue
      // oxlint-disable-next-line no-await-in-loop
      const piece = Buffer.isBuffer(open)
        ? this.fromMemory(open)
        : open instanceof SliceBuffer
          ? await this.fromFlight(open)
          : await this.fromDisk(open)
      if (piece !== null) return piece
    }
    return null
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.pull !== null && this.place !== null) this.pull.leave(this.place)
    this.closeSlice()
    const buffers = this.buffers
    if (buffers === null) return
    this.buffers = null
    const give = () => buffers.forEach((buffer) => this.cache.pool.give(buffer))
    // A read under way still writes into one of them.
    if (this.ahead === null) give()
    else this.ahead.then(give, give)
  }

  /** A body of unknown length has its end when its pull does. */
  private knownEnd(): number {
    if (this.end === Number.POSITIVE_INFINITY) this.end = this.pull?.meta.length ?? this.end
    return this.end
  }

  /** Asked for on a miss alone: a target is a copy of the request. */
  private get askedAs(): PeerTier | null {
    return (this.role ??= { askedAs: this.target().askedAs }).askedAs
  }

  private get index(): number {
    return Math.floor(this.position / this.meta.sliceBytes)
  }

  private get sliceStart(): number {
    return this.index * this.meta.sliceBytes
  }

  /** null when the body turned out to end here. */
  private async openSlice(index: number): Promise<OpenSlice | null> {
    for (let attempt = 0; ; attempt++) {
      const body = this.cache.findSlice(this.meta, index)
      if (body !== undefined) return this.from('memory', body)
      // oxlint-disable-next-line no-await-in-loop
      const pulled = await this.fromPull(index)
      if (pulled !== undefined) return pulled
      if (this.position >= this.knownEnd()) return null
      const flight = this.fills.landing.sliceInFlight(this.meta, index, this.askedAs)
      if (flight !== undefined) return this.from('flight', flight)
      // oxlint-disable-next-line no-await-in-loop
      const stored = await this.cache.openSlice(this.meta, index)
      if (stored !== undefined) return this.from(Buffer.isBuffer(stored) ? 'memory' : 'disk', stored)
      if (attempt === ATTEMPTS_MAX) throw new EdgewardError('internal', 'self', 'slice cannot be had')
      // oxlint-disable-next-line no-await-in-loop
      await this.startPull(index)
    }
  }

  /** The slice from the pull this reader is attached to, if that comes to it. */
  private async fromPull(index: number): Promise<SliceBuffer | undefined> {
    while (this.pull !== null && this.place !== null && this.pull.reaches(index)) {
      const slice = this.pull.slice(this.place, index)
      if (slice !== undefined) return this.from('upstream', slice)
      // Its turn comes when the other readers of an answer that is not stored are as far.
      // oxlint-disable-next-line no-await-in-loop
      await this.pull.changed()
    }
    if (this.pull !== null && this.pull.meta.length !== null)
      this.end = Math.min(this.end, this.pull.meta.length)
    return undefined
  }

  private async startPull(index: number): Promise<void> {
    // What may not be kept is not to be had again either: another answer would be another body.
    if (this.pull?.lost(index) === true)
      throw new EdgewardError('origin_truncated', 'origin', 'the answer broke off')
    const { landing } = this.fills
    // Begun while the disk was asked.
    if (landing.sliceInFlight(this.meta, index, this.askedAs) !== undefined) return
    const parked = landing.parkedAt(this.meta, index, this.askedAs)
    if (parked !== undefined) {
      this.follow(parked, index)
      return
    }
    const outcome = await this.fills.fetchSlice(this.target(), this.meta, index)
    if (outcome.kind === 'failed') throw outcome.error
    if (outcome.kind !== 'object')
      throw new EdgewardError('origin_protocol', 'origin', '304 to a request without condition')
    this.follow(outcome.pull, index)
    if (!isSameBody(this.meta, outcome.meta, this.cache.purges)) throw new VersionChanged()
  }

  private follow(pull: Pull, index: number): void {
    if (this.pull !== null && this.place !== null) this.pull.leave(this.place)
    this.pull = pull
    this.place = pull.attach(index)
    if (this.closed) pull.leave(this.place)
  }

  private from<T extends OpenSlice>(source: ReadSource, slice: T): T {
    this.source ??= source
    return slice
  }

  private fromMemory(body: Buffer): Buffer {
    const from = this.position - this.sliceStart
    const piece = body.subarray(from, Math.min(body.length, this.end - this.sliceStart))
    // An empty piece would end a chunked reply.
    assert(piece.length > 0, 'position lies in the slice')
    this.advance(piece.length)
    this.open = null
    return piece
  }

  private async fromFlight(slice: SliceBuffer): Promise<Buffer | null> {
    const from = this.position - slice.index * this.meta.sliceBytes
    while (slice.received <= from) {
      if (slice.state === 'failed') return this.resume(slice)
      if (slice.state === 'complete') {
        // Shorter than a slice: the end of a body whose length was not known.
        this.end = this.position
        return null
      }
      // oxlint-disable-next-line no-await-in-loop
      await slice.changed()
    }
    const piece = slice.view(from, this.end - slice.index * this.meta.sliceBytes)
    this.advance(piece.length)
    if (this.position % this.meta.sliceBytes === 0) this.open = null
    return piece
  }

  /** What broke off goes on by a range, from whoever the chain finds now, where parts can be told to be of one body. */
  private resume(slice: SliceBuffer): null {
    const error = slice.error ?? new EdgewardError('origin_truncated', 'origin', 'fill failed')
    const canResume = error.retry && this.meta.ranges && this.meta.length !== null
    if (!canResume || this.lost === this.index || this.pull?.lost(this.index) === true) throw error
    // It would give the same slice again.
    if (this.pull !== null && this.place !== null) this.pull.leave(this.place)
    this.pull = null
    return this.loseSlice()
  }

  /** Two reads at most are ahead of the client: the piece it is being sent, and the next. */
  private async fromDisk(slice: DiskSlice): Promise<Buffer | null> {
    this.buffers ??= [this.cache.pool.take(), this.cache.pool.take()]
    this.ahead ??= this.readAhead(slice, this.position)
    // The disk tier has counted what went wrong, and has the slice no more.
    const got = await this.ahead.catch(() => -1)
    this.ahead = null
    const wanted = this.aheadBytes
    const buffer = this.buffers?.[this.turn]
    if (buffer === undefined) return null
    if (got !== wanted) return this.loseSlice()
    this.turn = 1 - this.turn
    this.advance(wanted)
    const sliceEnd = (slice.length === 0 ? 0 : this.position % this.meta.sliceBytes) === 0
    if (sliceEnd || this.position >= this.end) this.closeSlice()
    else this.ahead = this.readAhead(slice, this.position)
    return buffer.subarray(0, wanted)
  }

  private readAhead(slice: DiskSlice, position: number): Promise<number> {
    const from = position % this.meta.sliceBytes
    this.aheadBytes = Math.min(READ_BUFFER_BYTES, slice.length - from, this.end - position)
    const buffer = this.buffers?.[this.turn]
    if (buffer === undefined || this.aheadBytes <= 0) return Promise.resolve(-1)
    const reading = slice.read(buffer, from, this.aheadBytes)
    // Its failure is met at the next piece, which a slow client may ask for much later.
    reading.catch(() => {})
    return reading
  }

  /** It could not be read to its end: the rest comes from elsewhere. Once a slice, so that this ends. */
  private loseSlice(): null {
    if (this.lost === this.index) throw new EdgewardError('disk', 'self', 'cache file ended early')
    this.lost = this.index
    this.closeSlice()
    return null
  }

  private advance(bytes: number): void {
    this.position += bytes
  }

  private closeSlice(): void {
    const open = this.open
    this.open = null
    if (open === null || Buffer.isBuffer(open) || open instanceof SliceBuffer) return
    // The descriptor must outlive a read under way.
    const close = () => open.close()
    if (this.ahead === null) close()
    else this.ahead.then(close, close)
  }
}
