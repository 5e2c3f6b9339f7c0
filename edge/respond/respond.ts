// Step: answer from the object: 304, 416, a part, or all of it. A body in memory leaves at once; any other is
// streamed from wherever its slices are.
import { EdgewardError } from '../../src/errors.ts'
import { formatCacheStatus } from '../../src/http/cache-status.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import type { ByteRange } from '../../src/http/range.ts'
import { resolveRange } from '../../src/http/range.ts'
import type { ReplyHead } from '../../src/http/transaction.ts'
import { ifRangeHolds, isNotModified } from '../../src/http/validators.ts'
import { ageOf } from '../cache/freshness.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { Exchange } from '../exchange.ts'
import { peerFields } from '../peer/peer-fields.ts'
import { fetchTargetOf } from '../fill/fetch-target.ts'
import { ObjectReader, VersionChanged } from '../fill/object-reader.ts'
import { leavesAtOnce, writerOf } from '../limits/limited-reply.ts'
import { cannotCarry } from '../playlist/carry-grants.ts'
import { needsPreparing } from '../playlist/prepare-playlist.ts'
import type { StepName } from '../request-flow.ts'

export function respond(exchange: Exchange): StepName | Promise<StepName> {
  const { meta, request } = exchange
  if (meta === null) throw new Error('respond without an object')
  if (needsPreparing(exchange, meta)) return 'prepare-playlist'
  if (cannotCarry(exchange, meta)) {
    releasePull(exchange)
    exchange.error = new EdgewardError(
      'origin_protocol',
      'origin',
      'a playlist came content-coded though identity was asked for: no grant can be carried',
    )
    return 'refuse'
  }
  if (exchange.passed) {
    return request.method === 'HEAD'
      ? sendBodiless(exchange, meta, meta.status)
      : stream(exchange, meta, null)
  }
  if (meta.status === 200 && isUnchanged(exchange, meta)) return sendBodiless(exchange, meta, 304)
  const range = rangeOf(exchange, meta)
  if (range === 'unsatisfiable') return sendBodiless(exchange, meta, 416)
  if (request.method === 'HEAD') return sendBodiless(exchange, meta, meta.status)
  return sendFromMemory(exchange, meta, range) ?? stream(exchange, meta, range)
}

function isUnchanged(exchange: Exchange, meta: ObjectMeta): boolean {
  const { request, edge } = exchange
  // Filled in for one client, with what it was granted now: what it holds may have ended.
  if (exchange.form?.template?.isFilledIn === true) return false
  const ifNoneMatch = request.header('if-none-match')
  const ifModifiedSince = request.header('if-modified-since')
  if (ifNoneMatch === undefined && ifModifiedSince === undefined) return false
  return isNotModified(ifNoneMatch, ifModifiedSince, meta, edge.clock.now())
}

/** null: the whole body. RFC 9110 §14.2: a range is for GET. */
function rangeOf(exchange: Exchange, meta: ObjectMeta): ByteRange | 'unsatisfiable' | null {
  const field = exchange.request.method === 'GET' ? exchange.request.header('range') : undefined
  if (field === undefined || meta.status !== 200 || meta.length === null || isDerived(exchange)) return null
  if (!ifRangeHolds(exchange.request.header('if-range'), meta)) return null
  const range = resolveRange(field, meta.length)
  return range === 'ignore' ? null : range
}

/** The commonest case by far, a body or part that lies in one slice in memory; null when it does not. */
function sendFromMemory(exchange: Exchange, meta: ObjectMeta, range: ByteRange | null): StepName | null {
  if (meta.length === null) return null
  const start = range?.start ?? 0
  const end = range?.end ?? meta.length
  const index = Math.floor(start / meta.sliceBytes)
  const sliceStart = index * meta.sliceBytes
  if (end > sliceStart + meta.sliceBytes) return null
  const body = exchange.form?.body ?? exchange.edge.cache.findSlice(meta, index)
  if (body === undefined || !leavesAtOnce(exchange, end - start)) return null
  releasePull(exchange)
  exchange.reply.send(
    headFor(exchange, meta, range === null ? meta.status : 206, range),
    end - start === body.length ? body : body.subarray(start - sliceStart, end - sliceStart),
  )
  return 'done'
}

/** A playlist in another form than the origin's: it is always sent whole. */
function isDerived(exchange: Exchange): boolean {
  return exchange.form?.derived === true
}

async function stream(exchange: Exchange, meta: ObjectMeta, range: ByteRange | null): Promise<StepName> {
  const { edge, reply, target } = exchange
  if (target === null) throw new Error('respond without a target')
  const span = range ?? { start: 0, end: meta.length ?? Number.POSITIVE_INFINITY }
  const reader = new ObjectReader(
    edge.cache,
    edge.fills,
    () => fetchTargetOf(exchange),
    meta,
    span,
    exchange.pull,
  )
  exchange.pull = null
  const writer = writerOf(exchange)
  try {
    // The head goes out when the first byte is at hand: until then an error can still be told.
    let piece = await reader.next()
    if (exchange.cache.forward === null && reader.source === 'upstream') exchange.cache.forward = 'partial'
    reply.start(headFor(exchange, meta, range === null ? meta.status : 206, range))
    while (piece !== null) {
      // oxlint-disable-next-line no-await-in-loop -- the client's pace is the pace
      if (!(await writer.write(piece))) return 'done'
      // oxlint-disable-next-line no-await-in-loop
      piece = await reader.next()
    }
    reply.end()
    return 'done'
  } catch (error) {
    if (error instanceof VersionChanged && reply.status === 0 && !exchange.restarted) {
      exchange.restarted = true
      return 'look-up'
    }
    throw error
  } finally {
    reader.close()
  }
}

function sendBodiless(exchange: Exchange, meta: ObjectMeta, status: number): StepName {
  releasePull(exchange)
  exchange.reply.send(headFor(exchange, meta, status, null), null)
  return 'done'
}

/** Joined a pull, needs none of its bytes: one that is for nobody else ends here. */
function releasePull(exchange: Exchange): void {
  const { pull } = exchange
  exchange.pull = null
  if (pull !== null) pull.leave(pull.attach(0))
}

function headFor(exchange: Exchange, meta: ObjectMeta, status: number, range: ByteRange | null): ReplyHead {
  const { edge, peer, property, request } = exchange
  const own = formatCacheStatus(edge.id, exchange.cache)
  const extra = [
    'Age',
    String(Math.floor(ageOf(meta, edge.clock.now()) / 1000)),
    'Cache-Status',
    // RFC 9211 §2: each adds itself behind those before it.
    meta.cacheStatus === undefined ? own : `${meta.cacheStatus}, ${own}`,
  ]
  if (exchange.extra.length > 0) extra.push(...exchange.extra)
  // Only a body whose length is known can be cut into ranges.
  if (meta.status === 200 && meta.length !== null && !exchange.passed && !isDerived(exchange))
    extra.push('Accept-Ranges', 'bytes')
  let { length } = meta
  if (status === 416 && meta.status === 200) {
    extra.push('Content-Range', `bytes */${meta.length}`)
    length = 0
  } else if (range !== null) {
    extra.push('Content-Range', `bytes ${range.start}-${range.end - 1}/${meta.length}`)
    length = range.end - range.start
  }
  const tookMs = peer === null ? 0 : edge.clock.monotonic() - exchange.startedMs
  if (peer !== null) extra.push(...peerFields(meta, exchange.cache.outcome, edge.clock.now(), tookMs))
  // Of a client's page, its own edge knows.
  const cors = peer === null ? property?.cors(request.header('origin')) : undefined
  return { status, fields: meta.fields, added: cors ?? NO_FIELDS, extra, length, date: meta.date }
}
