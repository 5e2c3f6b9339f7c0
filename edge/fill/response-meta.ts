// From an upstream's head to what the cache keeps: end-to-end fields, length, validators, freshness, and
// whether the answer may be kept at all. Pure.
import { EdgewardError } from '../../src/errors.ts'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { parseContentRange } from '../../src/http/range.ts'
import type { ContentRange } from '../../src/http/range.ts'
import { initialAgeOf, lifetimeOf } from '../cache/freshness.ts'
import type { LifetimeRule } from '../cache/freshness.ts'
import { validatorsOf, versionOf } from '../cache/object-meta.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import { storableVerdict } from '../cache/storable.ts'
import type { StorableVerdict } from '../cache/storable.ts'
import { PASS_PIECE_BYTES, STORED_HEAD_BYTES_MAX, WHOLE_PULL_SLICES_MAX } from '../limits.ts'
import type { UpstreamHead } from '../upstream/upstream.ts'

export interface PullRule extends LifetimeRule {
  /** The edge speaks CORS for the property, so the origin's own is dropped. */
  ownCors: boolean
}

export interface HeadContext {
  key: string
  sliceBytes: number
  requestMs: number
  responseMs: number
  /** For answers without validator. */
  unique: string
  rule: PullRule
}

export interface ReadHead {
  meta: ObjectMeta
  /** It has an ETag or Last-Modified: parts fetched apart can be told to belong together. */
  validated: boolean
  verdict: StorableVerdict
  /** Of a 206. */
  contentRange: ContentRange | null
}

/** RFC 9110 §7.6.1, and what this server states itself. */
const NOT_KEPT = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'accept-ranges',
  'date',
  'age',
  'cache-status',
])

/**
 * What a 304 does not change of the stored head: its body's own description (RFC 9111 §3.2), and the cookie,
 * which is for whoever asked and would reach everybody.
 */
const NOT_UPDATED = new Set([
  'set-cookie',
  'etag',
  'last-modified',
  'content-encoding',
  'content-type',
  'content-range',
])
const NO_NAMES: ReadonlySet<string> = new Set()

export function readHead(head: UpstreamHead, context: HeadContext): ReadHead {
  const received = new FieldBlock(head.fields)
  const contentRange = head.status === 206 ? rangeOf(head, received) : null
  const length = contentRange === null ? contentLengthOf(head, received) : contentRange.total
  // A part stands for its whole object.
  const status = head.status === 206 ? 200 : head.status
  const control = parseCacheControl(received.list('cache-control'))
  const lifetimeMs = lifetimeOf(status, received, control, context.rule, context.responseMs)
  const validators = validatorsOf(received)
  const validated = validators.etag !== undefined || validators.lastModified !== undefined
  let verdict = storableVerdict(status, received, control, lifetimeMs, STORED_HEAD_BYTES_MAX / 2)
  // Pulled bit by bit it would have to be fetched again for what is missing, with nothing to tell whether that
  // is still the same body: every later client would be cut where the stored slices end.
  if (verdict === 'storable' && !validated && (length ?? 0) > WHOLE_PULL_SLICES_MAX * context.sliceBytes) {
    verdict = 'no-validator'
  }
  const meta: ObjectMeta = {
    key: context.key,
    ...validators,
    version: versionOf(validators, length, context.unique),
    status,
    fields: new FieldBlock(endToEnd(head, received, context.rule.ownCors)),
    date: received.get('date') ?? new Date(context.responseMs).toUTCString(),
    length,
    sliceBytes: verdict === 'storable' || contentRange !== null ? context.sliceBytes : PASS_PIECE_BYTES,
    ranges: validated && (head.status === 206 || /\bbytes\b/i.test(received.list('accept-ranges') ?? '')),
    receivedMs: context.responseMs,
    initialAgeMs: initialAgeOf(received, context.requestMs, context.responseMs),
    lifetimeMs,
  }
  return { meta, validated, verdict, contentRange }
}

/** What a 304 says of a stored object: fields to put in place, and its new times. */
export function readNotModified(head: UpstreamHead, stored: ObjectMeta, context: HeadContext) {
  const received = new FieldBlock(head.fields)
  const merged = new FieldBlock([...head.fields, ...stored.fields.pairs])
  const control = parseCacheControl(received.list('cache-control') ?? stored.fields.list('cache-control'))
  // No longer for everybody: the body that is here still answers this time, and is asked for again the next.
  const withdrawn = control.noStore || control.private
  return {
    fields: endToEnd(head, received, context.rule.ownCors, NOT_UPDATED),
    times: {
      date: received.get('date') ?? stored.date,
      receivedMs: context.responseMs,
      initialAgeMs: initialAgeOf(received, context.requestMs, context.responseMs),
      lifetimeMs: withdrawn
        ? 0
        : lifetimeOf(stored.status, merged, control, context.rule, context.responseMs),
    },
  }
}

function endToEnd(
  head: UpstreamHead,
  received: FieldBlock,
  ownCors: boolean,
  except: ReadonlySet<string> = NO_NAMES,
): string[] {
  const pairs = head.fields
  const named = new Set(
    (received.list('connection') ?? '').split(',').map((name) => name.trim().toLowerCase()),
  )
  const kept: string[] = []
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] ?? ''
    const lower = name.toLowerCase()
    if (NOT_KEPT.has(lower) || named.has(lower) || except.has(lower)) continue
    // Of a 416 it tells the client the length; of a part, this edge states its own.
    if (lower === 'content-range' && head.status !== 416) continue
    if (ownCors && (lower.startsWith('access-control-') || lower === 'timing-allow-origin')) continue
    kept.push(name, pairs[i + 1] ?? '')
  }
  return kept
}

function rangeOf(head: UpstreamHead, received: FieldBlock): ContentRange {
  const range = parseContentRange(received.get('content-range'))
  if (range === undefined || range.total === null) {
    throw new EdgewardError(
      'origin_protocol',
      'origin',
      `${head.upstream}: 206 without a usable Content-Range`,
    )
  }
  return range
}

function contentLengthOf(head: UpstreamHead, received: FieldBlock): number | null {
  if (head.status === 204 || head.status === 304) return 0
  if (received.get('transfer-encoding') !== undefined) return null
  const text = received.get('content-length')
  if (text === undefined) return null
  const length = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (Number.isNaN(length)) {
    throw new EdgewardError('origin_protocol', 'origin', `${head.upstream}: Content-Length is not a length`)
  }
  return length
}
