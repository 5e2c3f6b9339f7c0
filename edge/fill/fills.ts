// Who is fetching what: one upstream request in flight an object (or a slice of a known object), everyone
// else follows it. The only place that joins the cache and the upstreams.
import type { Clock } from '../../src/clock.ts'
import { EdgewardError, messageOf } from '../../src/errors.ts'
import { onlyLanguage } from '../../src/http/accept-language.ts'
import { variantText } from '../../src/http/vary.ts'
import type { Cache } from '../cache/cache.ts'
import { refreshed, sliceLength, sliceName, variantKey } from '../cache/object-meta.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { partRange } from '../playlist/low-latency.ts'
import type { BodyObserver } from '../playlist/playlist-observer.ts'
import { pullThroughChain } from '../upstream/chain.ts'
import type { PlanRequest } from '../upstream/plan.ts'
import { busyError } from '../upstream/upstream-error.ts'
import type { UpstreamFlow, UpstreamHead } from '../upstream/upstream.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { FetchOutcome, FetchTarget, ObjectOutcome, UpstreamAsk } from './fetch.ts'
import { purgeVerdictOf, targetOf } from '../purge/held.ts'
import { Landing } from './landing.ts'
import { readPart } from './part.ts'
import { postedMeta } from './posted.ts'
import { Pull } from './pull.ts'
import { conditionFields, rangeFields, upstreamFields } from './request-fields.ts'
import { RunningFetches, ownFlight } from './running-fetches.ts'
import type { Flight } from './running-fetches.ts'
import { readHead, readNotModified, readPassed } from './response-meta.ts'
import type { HeadContext, ReadHead } from './response-meta.ts'

export interface FillCounters {
  /** Requests sent upstream. */
  upstreamRequests: number
  upstreamBytes: number
  /** Requests that followed another's fetch. */
  collapsed: number
}

/** When a request was sent, and as of how many purges. */
interface Asked {
  readonly atMs: number
  readonly asOf: number
}

export class Fills {
  readonly counters: FillCounters = { upstreamRequests: 0, upstreamBytes: 0, collapsed: 0 }
  readonly landing: Landing
  private readonly cache: Cache
  private readonly upstreams: Upstreams
  private readonly clock: Clock
  private readonly sliceBytes: number
  private readonly edgeId: string
  private readonly fetches = new RunningFetches()
  private answers = 0

  constructor(
    cache: Cache,
    upstreams: Upstreams,
    clock: Clock,
    sliceBytes: number,
    edgeId: string,
    observer: BodyObserver = ({ meta }) => meta,
  ) {
    this.cache = cache
    this.upstreams = upstreams
    this.clock = clock
    this.sliceBytes = sliceBytes
    this.edgeId = edgeId
    this.landing = new Landing(cache, clock, observer)
  }

  get running(): number {
    return this.fetches.size + this.landing.running
  }

  /** A fetch of this object that others may join is under way. */
  isFetching(key: string): boolean {
    return this.fetches.has(key)
  }

  /**
   * Fetches an object that is not here, or asks whether `stored` still holds. `from`: the byte of the body
   * that is wanted first, where a range says so.
   */
  async fetch(target: FetchTarget, stored: ObjectMeta | undefined, from: number): Promise<FetchOutcome> {
    // Purged since it was looked up: a 304 must not bring it back.
    const isGone = stored !== undefined && purgeVerdictOf(stored, this.cache.purges) === 'gone'
    const stale = isGone ? undefined : stored
    const index = stale === undefined ? Math.floor(from / this.sliceBytes) : 0
    const extra =
      index > 0
        ? rangeFields(index * this.sliceBytes, (index + 1) * this.sliceBytes, undefined)
        : conditionFields(stale)
    const ask: UpstreamAsk = { target, method: 'GET', purpose: 'shared', extra, index, stale, body: null }
    // An answer to Authorization is for everyone only if it says so, which is not known before it is here.
    if (target.authorised) return this.request(ask, ownFlight())
    return this.joinOrLead(target.key, target, ask)
  }

  /** Fetches one slice of an object whose head is known. */
  async fetchSlice(target: FetchTarget, meta: ObjectMeta, index: number): Promise<FetchOutcome> {
    const start = index * meta.sliceBytes
    const end = start + sliceLength(meta.length ?? 0, meta.sliceBytes, index)
    const whole = !meta.ranges || meta.length === null || end === start
    const extra = whole ? [] : rangeFields(start, end, meta)
    const ask: UpstreamAsk = {
      target,
      method: 'GET',
      purpose: 'shared',
      extra,
      index,
      stale: undefined,
      body: null,
    }
    return this.joinOrLead(`${sliceName(meta.key, index)}\n${meta.version}`, target, ask)
  }

  /** Sends a client's own request through: nobody joins it, nothing of it is kept. */
  pass(target: FetchTarget, method: string, body: UpstreamAsk['body']): Promise<FetchOutcome> {
    const ask: UpstreamAsk = { target, method, purpose: 'own', extra: [], index: 0, stale: undefined, body }
    return this.request(ask, ownFlight())
  }

  private async joinOrLead(name: string, target: FetchTarget, ask: UpstreamAsk): Promise<FetchOutcome> {
    const running = this.fetches.find(name, target.askedAs)
    // Sent before a purge that may be meant for its answer: whoever comes after that is not answered with it.
    if (running === undefined || this.cache.purges.mayConcern(targetOf(target.primaryKey), running.asOf))
      return this.lead(name, ask)
    const outcome = await running.outcome
    if (outcome.kind === 'other-variant') return outcome
    if (outcome.kind !== 'object') return { ...outcome, collapsed: true }
    // An answer for one client alone: this one needs its own, and there is no point in waiting again.
    if (!outcome.storable) return this.request(this.withoutPurged(ask), ownFlight())
    if (!selects(outcome, target)) return { kind: 'other-variant' }
    this.counters.collapsed++
    return { ...outcome, collapsed: true }
  }

  /** What it would ask about may have been purged while it waited. */
  private withoutPurged(ask: UpstreamAsk): UpstreamAsk {
    const { stale } = ask
    if (stale === undefined || purgeVerdictOf(stale, this.cache.purges) !== 'gone') return ask
    return { ...ask, stale: undefined, extra: [] }
  }

  private lead(name: string, ask: UpstreamAsk): Promise<FetchOutcome> {
    return this.fetches.lead(name, this.cache.purges.count, (flight) => this.request(ask, flight))
  }

  /** One request up the chain. Never rejects: what goes wrong is an outcome. */
  private request(ask: UpstreamAsk, flight: Flight): Promise<FetchOutcome> {
    const { target } = ask
    const { promise, resolve } = Promise.withResolvers<FetchOutcome>()
    const asked = { atMs: this.clock.now(), asOf: this.cache.purges.count }
    let pull: Pull | null = null
    const fail = (cause: EdgewardError) => {
      const error = target.holdMaxMs === undefined ? cause : asHeld(cause)
      flight.forget?.()
      resolve({ kind: 'failed', error, collapsed: false })
    }
    const onHead = (head: UpstreamHead, flow: UpstreamFlow) => {
      const outcome = this.readAnswer(ask, head, flow, asked, flight)
      if (outcome instanceof Promise) {
        resolve(outcome)
        return
      }
      if (outcome.kind === 'object') pull = outcome.pull
      resolve(outcome)
    }
    this.counters.upstreamRequests++
    const { holdMaxMs, part } = target
    const extra = part === undefined ? ask.extra : ['Range', partRange(part)]
    const fields = [...upstreamFields(this.edgeId, target, ask.purpose), ...extra]
    const request = { method: ask.method, path: target.path, fields, body: ask.body, holdMaxMs }
    try {
      pullThroughChain(this.upstreams, target.chain, planOf(target, ask.purpose), request, {
        onTier: (tier) => {
          flight.tier = tier
        },
        onInterim: (status, interim) => target.onInterim?.(status, interim),
        onHead: (head, flow) => {
          try {
            onHead(head, flow)
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
      })
    } catch (error) {
      fail(asOriginError(error))
    }
    return promise
  }

  private readAnswer(
    ask: UpstreamAsk,
    head: UpstreamHead,
    flow: UpstreamFlow,
    asked: Asked,
    flight: Flight,
  ): FetchOutcome | Promise<FetchOutcome> {
    const { target, stale } = ask
    const context = this.headContext(target, asked, flight)
    if (head.status === 304 && stale !== undefined) {
      flight.forget?.()
      return { kind: 'not-modified', meta: this.notModified(head, stale, context), collapsed: false }
    }
    if (ask.purpose === 'own') return this.passed(ask, head, context, flow)
    if (head.status === 304) {
      const message = `${head.upstream}: 304 to a request without condition`
      throw new EdgewardError('origin_protocol', 'origin', message)
    }
    const read = target.part === undefined ? readHead(head, context) : readPart(head, context, target.part)
    const first = this.firstIndex(head, read, ask)
    if (read.contentRange !== null && read.verdict === 'no-validator') {
      // Nothing could tell whether the next part is of the same body: ask for all of it.
      flow.abort()
      return this.request({ ...ask, extra: [], index: 0 }, flight)
    }
    const meta = this.toldApart(this.placed(read, target, context), context)
    const storable = read.verdict === 'storable' && this.cache.admitsVariant(target.primaryKey, meta.key)
    const pull = new Pull(this.landing, flow, meta, storable, first, read.contentRange?.end ?? null)
    admit(pull, flow, head.upstream)
    const { forget, tier } = flight
    const record = { primaryKey: target.primaryKey, askedMs: asked.atMs, tier, forget }
    this.landing.announce(pull, storable, record)
    const { verdict, selecting } = read
    const language = onlyLanguage(meta.fields.get('content-language'))
    if (storable && selecting.join() === 'accept-language' && language !== undefined)
      this.cache.noteLanguage(target.primaryKey, language, meta.key)
    const leaderText = variantText(selecting, target.header)
    return { kind: 'object', meta, pull, storable, verdict, selecting, leaderText, collapsed: false }
  }

  private passed(
    ask: UpstreamAsk,
    head: UpstreamHead,
    context: HeadContext,
    flow: UpstreamFlow,
  ): ObjectOutcome {
    const meta = readPassed(head, context)
    // A HEAD's Content-Length is of a body that does not come.
    const body = ask.method === 'HEAD' ? { ...meta, length: 0 } : meta
    const pull = new Pull(this.landing, flow, body, false, 0, null)
    admit(pull, flow, head.upstream)
    return {
      kind: 'object',
      meta,
      pull,
      storable: false,
      verdict: 'status',
      selecting: [],
      leaderText: '',
      collapsed: false,
      posted: ask.method === 'POST' ? postedMeta(head, ask.target, context) : undefined,
    }
  }

  /** The object under the key that selects it; the sign at its primary key is made or kept. */
  private placed(read: ReadHead, target: FetchTarget, context: HeadContext): ObjectMeta {
    if (read.verdict !== 'storable' || read.selecting.length === 0)
      return { ...read.meta, key: target.primaryKey }
    const sign = this.cache.signFor(target.primaryKey, read.selecting, context)
    return { ...read.meta, key: variantKey(sign, variantText(read.selecting, target.header)) }
  }

  /** Purged while it was on its way, it may be of either side of that, whatever its ETag says: it is joined to nothing. */
  private toldApart(meta: ObjectMeta, { unique }: HeadContext): ObjectMeta {
    return purgeVerdictOf(meta, this.cache.purges) === 'gone' ? { ...meta, version: unique } : meta
  }

  private headContext(target: FetchTarget, { atMs: requestMs, asOf }: Asked, flight: Flight): HeadContext {
    return {
      key: target.key,
      sliceBytes: this.sliceBytes,
      requestMs,
      responseMs: this.clock.now(),
      unique: `#${this.answers++}-${requestMs}`,
      rule: target.rule,
      fromEdge: flight.tier !== 'origins',
      authorised: target.authorised,
      asOf,
    }
  }

  private notModified(head: UpstreamHead, stale: ObjectMeta, context: HeadContext): ObjectMeta {
    const update = readNotModified(head, stale, context)
    const meta = refreshed(stale, update.fields, update.times)
    this.cache.refresh(meta)
    return meta
  }

  /** Which slice the answer begins with; throws when it is not the part that was asked for. */
  private firstIndex(head: UpstreamHead, read: ReadHead, ask: UpstreamAsk): number {
    if (read.contentRange === null) return 0
    if (!ask.extra.includes('Range') || read.contentRange.start !== ask.index * this.sliceBytes) {
      const message = `${head.upstream}: 206 for another part than asked for`
      throw new EdgewardError('origin_protocol', 'origin', message)
    }
    return ask.index
  }
}

/** What a client sends for itself alone no cache answers on the way. */
function planOf({ primaryKey, path, askedAs }: FetchTarget, purpose: UpstreamAsk['purpose']): PlanRequest {
  return { primaryKey, path, askedAs, originsAlone: purpose === 'own' }
}

/** Throws when as many answers go at their clients' pace as may. */
function admit(pull: Pull, flow: UpstreamFlow, upstream: string): void {
  if (!pull.pacedByClients || flow.hold('passing')) return
  pull.abort()
  throw busyError(upstream)
}

/** Whether the answer to another's request is the one that this request selects too. */
function selects(outcome: ObjectOutcome, target: FetchTarget): boolean {
  if (outcome.selecting.length === 0) return true
  return variantText(outcome.selecting, target.header) === outcome.leaderText
}

/** The origin was asked to wait, and nothing came of it in time (RFC 8216bis §6.2.5.2). */
function asHeld(error: EdgewardError): EdgewardError {
  if (error.code !== 'origin_timeout') return error
  return new EdgewardError('reload_timeout', 'origin', error.message, { retry: true, cause: error })
}

function asOriginError(error: unknown): EdgewardError {
  if (error instanceof EdgewardError) return error
  return new EdgewardError('internal', 'self', messageOf(error), { cause: error })
}
