// Brings one object onto disk, whole: what is fresh and there costs nothing, of what is there in part the rest is fetched.
// By the fills that clients' requests use, so that each joins the other.
import { EdgewardError } from '../../../src/errors.ts'
import { variantText } from '../../../src/http/vary.ts'
import { PREFETCH_DETAIL_CHARS_MAX } from '../../../src/wire/prefetch.ts'
import type { PrefetchFailure } from '../../../src/wire/prefetch.ts'
import type { Clock } from '../../../src/clock.ts'
import type { Cache } from '../../cache/cache.ts'
import { isFresh } from '../../cache/freshness.ts'
import { sliceCount, sliceLength, variantKey } from '../../cache/object-meta.ts'
import type { ObjectMeta } from '../../cache/object-meta.ts'
import type { FetchTarget, ObjectOutcome } from '../../fill/fetch.ts'
import type { Fills } from '../../fill/fills.ts'
import { ObjectReader, VersionChanged } from '../../fill/object-reader.ts'
import { PREFETCH_ROUNDS_MAX, WHOLE_PULL_SLICES_MAX } from '../../limits.ts'
import { isSameBody } from '../../purge/held.ts'
import type { Pacer } from './pacer.ts'

export interface FailedBringing {
  readonly kind: 'failed'
  readonly reason: PrefetchFailure
  /** For people. */
  readonly detail: string
  /** It may come when it is tried again. */
  readonly retry: boolean
}

export type Brought = { readonly kind: 'here'; readonly meta: ObjectMeta } | FailedBringing

export interface BringingDeps {
  readonly cache: Cache
  readonly fills: Fills
  readonly clock: Clock
}

/** What one prefetch asks with. */
export interface Errand {
  readonly pacer: Pacer
  readonly signal: AbortSignal
  /** Waits for a place among all that are fetched at once; gives what lets go of it. */
  readonly place: (signal: AbortSignal) => Promise<() => void>
  /** Told of each piece that came from upstream. */
  readonly onBytes: (bytes: number) => void
}

/** Rejects when the signal is given. */
export async function bringObject(target: FetchTarget, deps: BringingDeps, errand: Errand): Promise<Brought> {
  if (target.rule.memoryOnly) return failed('uncacheable', 'a key, which is never kept on disk', false)
  if (!deps.cache.disk.configured) return failed('unkept', 'this edge has no cache directory', false)
  try {
    for (let rounds = 0; rounds < PREFETCH_ROUNDS_MAX;) {
      // oxlint-disable-next-line no-await-in-loop -- what one round left is for the next
      const brought = await bringOnce(target, deps, errand)
      if (typeof brought !== 'string') return brought
      if (brought === 'again') rounds += 1
    }
    return failed('unkept', 'it changes, or its slices go, as they come', true)
  } catch (error) {
    if (!(error instanceof EdgewardError)) throw error
    return failureOf(error)
  }
}

/** again: it has changed meanwhile, or is gone. paused: its hours are over, and what has come of it stays. */
type Unfinished = 'again' | 'paused'

async function bringOnce(
  target: FetchTarget,
  deps: BringingDeps,
  errand: Errand,
): Promise<Brought | Unfinished> {
  const { cache, clock } = deps
  const stored = await findStored(target, cache)
  const isGood = stored !== undefined && isFresh(stored, clock.now())
  const found: Brought | Unfinished = isGood
    ? { kind: 'here', meta: stored }
    : await inTurn(errand, (begun) => fetchAnew(target, stored, deps, { ...errand, begun }))
  if (typeof found === 'string' || found.kind === 'failed') return found
  const { meta } = found
  if (meta.status !== 200) return statusFailure(meta.status)
  // It is never on disk: whoever asked for it hears why.
  if (meta.playlist?.media?.live === true) return found
  for (const run of await missingRuns(meta, cache)) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    const ended = await inTurn(errand, (begun) => fetchRun(target, meta, run, deps, { ...errand, begun }))
    if (ended !== 'whole') return ended
  }
  const left = await missingRuns(meta, cache)
  return left.length === 0 ? found : failed('unkept', 'the disk does not take it', true)
}

/** When it may begin, and there is a place for it; the next may begin at the latest when it has ended. */
async function inTurn<T>(
  { pacer, place, signal }: Errand,
  fetch: (begun: Begun['begun']) => Promise<T>,
): Promise<T> {
  const begun = await pacer.turn(signal)
  try {
    const leave = await place(signal)
    return await fetch(begun).finally(leave)
  } finally {
    begun(0)
  }
}

interface Begun extends Errand {
  /** Says what of it comes at once: the next may begin. */
  readonly begun: (bytes: number) => void
}

/** The variant that a request without fields of its own selects, as look-up would find it. */
async function findStored(target: FetchTarget, cache: Cache): Promise<ObjectMeta | undefined> {
  const find = async (key: string) => cache.findMeta(key) ?? (await cache.loadMeta(key))
  target.key = target.primaryKey
  const known = await find(target.primaryKey)
  if (known === undefined || known.selecting.length === 0) return known
  target.key = variantKey(known, variantText(known.selecting, target.header))
  return find(target.key)
}

async function fetchAnew(
  target: FetchTarget,
  stored: ObjectMeta | undefined,
  { cache, fills }: BringingDeps,
  errand: Begun,
): Promise<Brought | Unfinished> {
  const outcome = await fills.fetch(target, stored, 0)
  const comesAtOnce = outcome.kind === 'object' && !outcome.collapsed ? bytesAtOnce(outcome) : 0
  errand.begun(comesAtOnce)
  if (outcome.kind === 'failed') return failureOf(outcome.error)
  if (outcome.kind === 'not-modified') return { kind: 'here', meta: outcome.meta }
  if (outcome.kind !== 'object') return 'again'
  const { meta, pull, storable, verdict } = outcome
  if (meta.status !== 200 || !storable) {
    pull.leave(pull.attach(0))
    return meta.status === 200
      ? failed('uncacheable', `not for others: ${verdict}`, false)
      : statusFailure(meta.status)
  }
  const span = { start: 0, end: meta.length ?? Number.POSITIVE_INFINITY }
  const reader = new ObjectReader(cache, fills, () => target, meta, span, pull)
  const counting = outcome.collapsed ? { ...errand, onBytes: () => {} } : errand
  if ((await drain(reader, comesAtOnce, counting)) === 'paused') return 'paused'
  // By now its head may say how long it is, and how long it lives.
  const kept = cache.findMeta(meta.key)
  return kept === undefined ? 'again' : { kind: 'here', meta: kept }
}

/** What of an answer comes whether it is read or not. */
function bytesAtOnce({ meta: { length, sliceBytes, status } }: ObjectOutcome): number {
  if (length === null || status !== 200) return 0
  return length <= WHOLE_PULL_SLICES_MAX * sliceBytes ? length : sliceBytes
}

/** Half-open. */
interface Run {
  readonly start: number
  readonly end: number
}

/** Where slices of this body are not on disk, nor on their way there. */
async function missingRuns(meta: ObjectMeta, cache: Cache): Promise<Run[]> {
  const { sliceBytes } = meta
  const length = meta.length ?? 0
  const runs: { start: number; end: number }[] = []
  for (let index = 0; index < sliceCount(length, sliceBytes); index++) {
    // oxlint-disable-next-line no-await-in-loop -- a film has hundreds: not all at once
    if (await isOnDisk(meta, index, cache)) continue
    const start = index * sliceBytes
    const end = start + sliceLength(length, sliceBytes, index)
    const last = runs.at(-1)
    if (last?.end === start) last.end = end
    else runs.push({ start, end })
  }
  return runs
}

/** Opened, not looked up: after a start the index is not complete for a while. */
async function isOnDisk(meta: ObjectMeta, index: number, cache: Cache): Promise<boolean> {
  const waiting = cache.disk.waiting(meta.key, index)
  if (waiting !== undefined) return isSameBody(meta, waiting.meta, cache.purges)
  const slice = await cache.disk.open(meta.key, index)
  slice?.close()
  if (slice !== undefined) {
    return isSameBody(meta, slice.meta, cache.purges) && slice.meta.sliceBytes === meta.sliceBytes
  }
  const inMemory = cache.findSlice(meta, index)
  if (inMemory === undefined) return false
  // Evicted from disk since, or never written: it need not be fetched for that.
  cache.disk.store(meta, index, inMemory)
  return cache.disk.waiting(meta.key, index) !== undefined
}

/** again: the object has changed at the origin. */
async function fetchRun(
  target: FetchTarget,
  meta: ObjectMeta,
  run: Run,
  { cache, fills }: BringingDeps,
  errand: Begun,
): Promise<'whole' | Unfinished> {
  const first = Math.min(run.end - run.start, meta.sliceBytes)
  errand.begun(first)
  try {
    return await drain(new ObjectReader(cache, fills, () => target, meta, run, null), first, errand)
  } catch (error) {
    if (error instanceof VersionChanged) return 'again'
    throw error
  }
}

/** To its end, or that of its hours; what is beyond `paid` is paid for as it comes. */
async function drain(
  reader: ObjectReader,
  paid: number,
  { pacer, signal, onBytes }: Errand,
): Promise<'whole' | 'paused'> {
  let bytes = 0
  try {
    for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
      bytes += piece.length
      onBytes(piece.length)
      signal.throwIfAborted()
      if (bytes <= paid) continue
      pacer.pay(Math.min(piece.length, bytes - paid))
      if (!pacer.isOpen()) return 'paused'
      // oxlint-disable-next-line no-await-in-loop -- no faster than it may come
      await pacer.ready(signal)
    }
    return 'whole'
  } finally {
    reader.close()
  }
}

const MISSING = new Set([404, 410])
const REFUSED = new Set([401, 403, 407])
/** RFC 9110 §15: what may be otherwise in a moment. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

function statusFailure(status: number): FailedBringing {
  const detail = `status ${status}`
  if (MISSING.has(status)) return failed('missing', detail, false)
  if (REFUSED.has(status)) return failed('refused', detail, false)
  return PASSING.has(status) ? failed('trouble', detail, true) : failed('status', detail, false)
}

function failureOf({ code, message, retry }: EdgewardError): FailedBringing {
  if (code === 'origin_unreachable') return failed('unreachable', message, true)
  if (code === 'origin_timeout') return failed('timeout', message, true)
  return failed(code === 'origin_busy' ? 'trouble' : 'broken', message, retry)
}

export function failed(reason: PrefetchFailure, detail: string, retry: boolean): FailedBringing {
  return { kind: 'failed', reason, detail: detail.slice(0, PREFETCH_DETAIL_CHARS_MAX), retry }
}
