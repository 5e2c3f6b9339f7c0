// Who is fetching what: one upstream request in flight an object (or a slice of a known object), everyone
// else follows it. The only place that joins the cache and the upstreams.
import type { Clock } from '../../src/clock.ts'
import { EdgewardError, messageOf } from '../../src/errors.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import type { Cache } from '../cache/cache.ts'
import { refreshed, sliceLength, sliceName } from '../cache/object-meta.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { pullThroughChain } from '../upstream/chain.ts'
import type { OriginSettings } from '../upstream/chain.ts'
import type { UpstreamHead, Upstreams } from '../upstream/upstream.ts'
import { Pull } from './pull.ts'
import type { PullOwner } from './pull.ts'
import { conditionFields, rangeFields, requestFields } from './request-fields.ts'
import { readHead, readNotModified } from './response-meta.ts'
import type { PullRule, ReadHead } from './response-meta.ts'
import type { SliceBuffer } from './slice-buffer.ts'

/** What to fetch, and by which rules. The same for every client that wants the object. */
export interface FetchTarget {
  key: string
  /** Origin-form, to put behind the origin's base path. */
  path: string
  origins: readonly OriginSettings[]
  rule: PullRule
  /** CDN-Loop as the client sent it (RFC 8586). */
  cdnLoop: string | undefined
}

export type FetchOutcome =
  | { kind: 'object'; meta: ObjectMeta; pull: Pull; storable: boolean; collapsed: boolean }
  | { kind: 'not-modified'; meta: ObjectMeta; collapsed: boolean }
  | { kind: 'failed'; error: EdgewardError; collapsed: boolean }

interface SliceFlight {
  meta: ObjectMeta
  slice: SliceBuffer
}

export interface FillCounters {
  /** Requests sent upstream. */
  upstreamRequests: number
  upstreamBytes: number
  /** Requests that followed another's fetch. */
  collapsed: number
}

export class Fills implements PullOwner {
  readonly counters: FillCounters = { upstreamRequests: 0, upstreamBytes: 0, collapsed: 0 }
  private readonly cache: Cache
  private readonly upstreams: Upstreams
  private readonly clock: Clock
  private readonly sliceBytes: number
  private readonly edgeId: string
  /** Fetches that others may join: until the head is known, or, for a body of unknown length, its end. */
  private readonly fetches = new Map<string, Promise<FetchOutcome>>()
  private readonly slices = new Map<string, SliceFlight>()
  private answers = 0

  constructor(cache: Cache, upstreams: Upstreams, clock: Clock, sliceBytes: number, edgeId: string) {
    this.cache = cache
    this.upstreams = upstreams
    this.clock = clock
    this.sliceBytes = sliceBytes
    this.edgeId = edgeId
  }

  get running(): number {
    return this.fetches.size + this.slices.size
  }

  /**
   * Fetches an object that is not here, or asks whether `stale` still holds. `from`: the byte of the body
   * that is wanted first, where a range says so.
   */
  async fetch(target: FetchTarget, stale: ObjectMeta | undefined, from: number): Promise<FetchOutcome> {
    const running = this.fetches.get(target.key)
    if (running !== undefined) {
      const outcome = await running
      if (outcome.kind !== 'object' || outcome.storable) {
        this.counters.collapsed++
        return { ...outcome, collapsed: true }
      }
      // An answer for one client alone: this one needs its own, and there is no point in waiting again.
      return this.send(target, stale, from, null)
    }
    return this.lead(target.key, (forget) => this.send(target, stale, from, forget))
  }

  /** Fetches one slice of an object whose head is known. */
  async fetchSlice(target: FetchTarget, meta: ObjectMeta, index: number): Promise<FetchOutcome> {
    const name = `${sliceName(target.key, index)}\n${meta.version}`
    const running = this.fetches.get(name)
    if (running !== undefined) {
      const outcome = await running
      if (outcome.kind !== 'object' || outcome.storable) return { ...outcome, collapsed: true }
      return this.sendForSlice(target, meta, index, null)
    }
    return this.lead(name, (forget) => this.sendForSlice(target, meta, index, forget))
  }

  /** A slice of this version that is arriving now. */
  sliceInFlight(meta: ObjectMeta, index: number): SliceBuffer | undefined {
    const flight = this.slices.get(sliceName(meta.key, index))
    return flight !== undefined && flight.meta.version === meta.version ? flight.slice : undefined
  }

  sliceStarted(pull: Pull, slice: SliceBuffer): void {
    if (pull.mode === 'lockstep' || pull.meta.length === null) return
    const name = sliceName(pull.meta.key, slice.index)
    if (!this.slices.has(name)) this.slices.set(name, { meta: pull.meta, slice })
  }

  sliceCompleted(pull: Pull, slice: SliceBuffer): void {
    this.landed(pull, slice)
    this.cache.store(pull.meta, slice.index, slice.body())
  }

  ended(pull: Pull): void {
    if (pull.mode === 'lockstep' || !this.hadUnknownLength.delete(pull)) return
    this.cache.setMeta(pull.meta)
    for (const slice of pull.heldSlices()) {
      if (slice.received > 0 || slice.index === 0) this.cache.store(pull.meta, slice.index, slice.body())
    }
    this.forgets.get(pull)?.()
  }

  failed(pull: Pull, _error: EdgewardError): void {
    this.cache.dropMeta(pull.meta)
    this.abandoned(pull)
  }

  abandoned(pull: Pull): void {
    for (const slice of pull.heldSlices()) this.landed(pull, slice)
    this.hadUnknownLength.delete(pull)
    this.forgets.get(pull)?.()
  }

  unstorable(pull: Pull): void {
    this.hadUnknownLength.delete(pull)
    this.forgets.get(pull)?.()
  }

  /** Pulls whose length was not announced, and which are stored only once they are whole. */
  private readonly hadUnknownLength = new Set<Pull>()
  /** For those: how to stop others from joining. */
  private readonly forgets = new WeakMap<Pull, () => void>()

  private landed(pull: Pull, slice: SliceBuffer): void {
    const name = sliceName(pull.meta.key, slice.index)
    if (this.slices.get(name)?.slice === slice) this.slices.delete(name)
  }

  /** Runs a fetch that others join by name until it says to forget it. */
  private lead(name: string, send: (forget: () => void) => Promise<FetchOutcome>): Promise<FetchOutcome> {
    let promise: Promise<FetchOutcome> | null = null
    // A request that cannot even be sent is forgotten before it is known.
    let forgotten = false
    const forget = () => {
      forgotten = true
      if (this.fetches.get(name) === promise) this.fetches.delete(name)
    }
    promise = send(forget)
    if (!forgotten) this.fetches.set(name, promise)
    return promise
  }

  private send(
    target: FetchTarget,
    stale: ObjectMeta | undefined,
    from: number,
    forget: (() => void) | null,
  ): Promise<FetchOutcome> {
    const index = stale === undefined ? Math.floor(from / this.sliceBytes) : 0
    const extra =
      index > 0
        ? rangeFields(index * this.sliceBytes, (index + 1) * this.sliceBytes, undefined)
        : conditionFields(stale)
    return this.request(target, extra, index, stale, forget)
  }

  private sendForSlice(
    target: FetchTarget,
    meta: ObjectMeta,
    index: number,
    forget: (() => void) | null,
  ): Promise<FetchOutcome> {
    const start = index * meta.sliceBytes
    const whole = !meta.ranges || meta.length === null
    const end = start + sliceLength(meta.length ?? 0, meta.sliceBytes, index)
    return this.request(
      target,
      whole || end === start ? [] : rangeFields(start, end, meta),
      index,
      undefined,
      forget,
    )
  }

  /** One request up the chain. Never rejects: what goes wrong is an outcome. */
  private request(
    target: FetchTarget,
    extra: FieldPairs,
    index: number,
    stale: ObjectMeta | undefined,
    forget: (() => void) | null,
  ): Promise<FetchOutcome> {
    const { promise, resolve } = Promise.withResolvers<FetchOutcome>()
    const requestMs = this.clock.now()
    let pull: Pull | null = null
    const fail = (error: EdgewardError) => {
      forget?.()
      resolve({ kind: 'failed', error, collapsed: false })
    }
    this.counters.upstreamRequests++
    const fields = [...requestFields(this.edgeId, target.cdnLoop), ...extra]
    try {
      pullThroughChain(
        this.upstreams,
        target.origins,
        { path: target.path, fields },
        {
          onHead: (head, flow) => {
            try {
              if (head.status === 304 && stale !== undefined) {
                forget?.()
                resolve({
                  kind: 'not-modified',
                  meta: this.notModified(head, target, stale, requestMs),
                  collapsed: false,
                })
                return
              }
              const read = readHead(head, this.headContext(target, requestMs))
              const first = this.firstIndex(head, read, extra, index)
              if (read.contentRange !== null && !read.validated) {
                // Nothing could tell whether the next part is of the same body: ask for all of it.
                flow.abort()
                resolve(this.request(target, [], 0, undefined, forget))
                return
              }
              const storable = read.verdict === 'storable'
              pull = new Pull(this, flow, read.meta, storable, first, read.contentRange?.end ?? null)
              this.announce(pull, storable, forget)
              resolve({ kind: 'object', meta: read.meta, pull, storable, collapsed: false })
            } catch (error) {
              flow.abort()
              fail(asOriginError(error))
            }
          },
          onData: (chunk) => {
            this.counters.upstreamBytes += chunk.length
            pull?.onData(chunk)
          },
          onEnd: () => pull?.onEnd(),
          onError: (error) => {
            if (pull === null) fail(error)
            else pull.onError(error)
          },
        },
      )
    } catch (error) {
      fail(asOriginError(error))
    }
    return promise
  }

  private headContext(target: FetchTarget, requestMs: number) {
    return {
      key: target.key,
      sliceBytes: this.sliceBytes,
      requestMs,
      responseMs: this.clock.now(),
      unique: `#${this.answers++}-${requestMs}`,
      rule: target.rule,
    }
  }

  private notModified(
    head: UpstreamHead,
    target: FetchTarget,
    stale: ObjectMeta,
    requestMs: number,
  ): ObjectMeta {
    const update = readNotModified(head, stale, this.headContext(target, requestMs))
    const meta = refreshed(stale, update.fields, update.times)
    this.cache.refresh(meta)
    return meta
  }

  /** Which slice the answer begins with; throws when it is not the part that was asked for. */
  private firstIndex(head: UpstreamHead, read: ReadHead, extra: FieldPairs, index: number): number {
    if (read.contentRange === null) return 0
    const start = index * this.sliceBytes
    if (!extra.includes('Range') || read.contentRange.start !== start) {
      throw new EdgewardError(
        'origin_protocol',
        'origin',
        `${head.upstream}: 206 for another part than asked for`,
      )
    }
    return index
  }

  /** The head is known: from now on the cache answers for the object, or others keep joining, or nobody may. */
  private announce(pull: Pull, storable: boolean, forget: (() => void) | null): void {
    if (storable && pull.meta.length === null) {
      this.hadUnknownLength.add(pull)
      if (forget !== null && pull.meta.lifetimeMs > 0) {
        this.forgets.set(pull, forget)
        return
      }
    }
    if (storable && pull.meta.length !== null) this.cache.setMeta(pull.meta)
    forget?.()
  }
}

function asOriginError(error: unknown): EdgewardError {
  if (error instanceof EdgewardError) return error
  return new EdgewardError('internal', 'self', messageOf(error), { cause: error })
}
