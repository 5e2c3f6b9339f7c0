// From an upstream's head to what the cache keeps: end-to-end fields, length, validators, freshness, which
// request fields select it, and whether it may be kept at all. Pure.
import { EdgewardError } from '../../src/errors.ts'
import { cacheControlOf } from '../../src/http/cache-control.ts'
import type { CacheControl } from '../../src/http/cache-control.ts'
import { formatHttpDate } from '../../src/http/date.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { parseContentRange } from '../../src/http/range.ts'
import type { ContentRange } from '../../src/http/range.ts'
import { selectingFields } from '../../src/http/vary.ts'
import { explicitLifetimeOf, initialAgeOf, lifetimeOf, staleAllowanceOf } from '../cache/freshness.ts'
import type { LifetimeRule } from '../cache/freshness.ts'
import { TAG_FIELDS, tagsOf } from '../purge/object-tags.ts'
import { combiningValidator, validatorsOf, versionOf } from '../cache/object-meta.ts'
import type { MetaTimes, ObjectMeta } from '../cache/object-meta.ts'
import { storableVerdict } from '../cache/storable.ts'
import type { StorableVerdict } from '../cache/storable.ts'
import { PASS_PIECE_BYTES, STORED_HEAD_BYTES_MAX, WHOLE_PULL_SLICES_MAX } from '../limits.ts'
import { boundLifetimes, playlistFactsOf } from '../playlist/playlist-times.ts'
import type { PlaylistFacts } from '../playlist/playlist-times.ts'
import { peerAgeOf } from '../peer/peer-fields.ts'
import type { PeerAge } from '../peer/peer-fields.ts'
import { PEER_AGE_FIELD } from '../../src/wire/peer-token.ts'
import type { WithoutTokens } from '../../src/access/token-fields.ts'
import type { UpstreamHead } from '../upstream/upstream.ts'

export interface PullRule extends LifetimeRule {
  /** Whether a request field goes up with a request whose answer may be kept. */
  forwards(this: void, lowerName: string): boolean
  /** What goes up of a field that may hold a token; left out: all of it. */
  withoutTokens?: WithoutTokens | undefined
  /** The edge speaks CORS for the property, so the origin's own is dropped. */
  ownCors: boolean
  setCookie: 'pass' | 'keep'
  /** What is kept is never written to disk. */
  memoryOnly: boolean
  /** Nobody has asked for it yet: it goes to disk, and not to memory. */
  ahead?: true
}

export interface HeadContext {
  key: string
  sliceBytes: number
  requestMs: number
  responseMs: number
  /** For answers without validator. */
  unique: string
  rule: PullRule
  /** Another edge answered: what it says besides is believed. */
  fromEdge: boolean
  /** The request carried Authorization. */
  authorised: boolean
  /** The count of purges when it was sent. */
  asOf: number
}

export interface ReadHead {
  meta: ObjectMeta
  verdict: StorableVerdict
  /** Of a 206. */
  contentRange: ContentRange | null
  /** Lower-case names of the request fields that select this answer, sorted. */
  selecting: readonly string[]
}

const PEER_AGE_LOWER = PEER_AGE_FIELD.toLowerCase()

/** RFC 9110 §7.6.1, and what this server states itself. */
const NOT_KEPT = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'accept-ranges',
  'date',
  'age',
  'cache-status',
  // What one edge says to another.
  'edgeward-peer',
  'edgeward-age',
  // For caches, of which this is the last before the client.
  ...TAG_FIELDS,
])

/**
 * What a 304 does not change of the stored head: its body's own description (RFC 9111 §3.2), which the body that
 * is kept still answers to.
 */
const NOT_UPDATED = new Set(['etag', 'last-modified', 'content-encoding', 'content-md5', 'content-range'])

export function readHead(head: UpstreamHead, context: HeadContext): ReadHead {
  const { rule, responseMs } = context
  const received = new FieldBlock(head.fields)
  const contentRange = head.status === 206 ? rangeOf(head, received) : null
  const length = contentRange === null ? contentLengthOf(head, received) : contentRange.total
  // A part stands for its whole object.
  const status = head.status === 206 ? 200 : head.status
  const control = cacheControlOf(received)
  const { lifetimeMs, ...times } = timesOf(status, received, control, context, undefined)
  const validators = validatorsOf(received)
  const combinable = combiningValidator(validators) !== undefined
  const selecting = selectingFields(received.list('vary'), rule.forwards)
  let verdict = storableVerdict({
    status,
    fields: received,
    control,
    lifetimeMs,
    explicit: isStated(received, control, rule, responseMs),
    selecting,
    authorised: context.authorised,
    setCookie: rule.setCookie,
    headBytesMax: STORED_HEAD_BYTES_MAX / 2,
  })
  // Pulled bit by bit it would have to be fetched again for what is missing, with nothing to tell whether that
  // is still the same body: every later client would be cut where the stored slices end. A part, kept or not,
  // would cut its own client there.
  const isLong = (length ?? 0) > WHOLE_PULL_SLICES_MAX * context.sliceBytes
  if (!combinable && (contentRange !== null || (isLong && verdict === 'storable'))) verdict = 'no-validator'
  const meta: ObjectMeta = {
    key: context.key,
    ...validators,
    // A live playlist changes more often than Last-Modified does.
    version: versionOf(
      times.playlist === undefined ? validators : { ...validators, lastModified: undefined },
      length,
      context.unique,
    ),
    status,
    fields: new FieldBlock(endToEnd(head, received, rule.ownCors, verdict === 'storable' ? control : null)),
    date: received.get('date') ?? formatHttpDate(responseMs),
    length,
    sliceBytes: verdict === 'storable' || contentRange !== null ? context.sliceBytes : PASS_PIECE_BYTES,
    ranges: combinable && (head.status === 206 || /\bbytes\b/i.test(received.list('accept-ranges') ?? '')),
    receivedMs: responseMs,
    initialAgeMs: ageAtHead(received, context, times.playlist).ageMs,
    lifetimeMs,
    ...times,
    selecting: [],
    asOf: context.asOf,
    held: { upTo: context.asOf },
    tags: tagsOf(received),
    cacheStatus: cacheStatusOf(received, context),
    ...(rule.memoryOnly && { memoryOnly: true }),
    ...(rule.ahead === true && { ahead: true }),
  }
  return { meta, verdict, contentRange, selecting: selecting === '*' ? [] : selecting }
}

/** The head of an answer that goes through to one client as it is. */
export function readPassed(head: UpstreamHead, context: HeadContext): ObjectMeta {
  const received = new FieldBlock(head.fields)
  const fields = endToEnd(head, received, context.rule.ownCors, null)
  for (const name of ['Accept-Ranges', 'Content-Range']) {
    const value = received.list(name.toLowerCase())
    if (value !== undefined && !fields.some((field) => field.toLowerCase() === name.toLowerCase())) {
      fields.push(name, value)
    }
  }
  return {
    key: `${context.key} (passed)`,
    version: context.unique,
    status: head.status,
    ...validatorsOf(received),
    fields: new FieldBlock(fields),
    date: received.get('date') ?? formatHttpDate(context.responseMs),
    length: contentLengthOf(head, received),
    sliceBytes: PASS_PIECE_BYTES,
    ranges: false,
    receivedMs: context.responseMs,
    initialAgeMs: ageAtHead(received, context).ageMs,
    lifetimeMs: 0,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    selecting: [],
    asOf: context.asOf,
    held: { upTo: context.asOf },
    cacheStatus: cacheStatusOf(received, context),
  }
}

/** What a 304 says of a stored object: fields to put in place, and its new times. */
export function readNotModified(
  head: UpstreamHead,
  stored: ObjectMeta,
  context: HeadContext,
): { fields: string[]; times: MetaTimes } {
  const received = new FieldBlock(head.fields)
  const merged = new FieldBlock([...head.fields, ...withoutNamed(stored.fields, received)])
  const control = cacheControlOf(merged)
  // No longer for everybody: the body that is here still answers this time, and is asked for again the next.
  const withdrawn = control.noStore || control.private
  const times = timesOf(stored.status, merged, control, context, stored.playlist)
  const except = context.rule.setCookie === 'keep' ? NOT_UPDATED : NOT_UPDATED_OR_COOKIE
  return {
    fields: endToEnd(head, received, context.rule.ownCors, control, except),
    times: {
      date: received.get('date') ?? stored.date,
      receivedMs: context.responseMs,
      initialAgeMs: ageAtHead(received, context, times.playlist).ageMs,
      ...times,
      ...(withdrawn && { lifetimeMs: 0 }),
      asOf: context.asOf,
      held: { upTo: context.asOf },
      tags: tagsOf(received) ?? stored.tags,
      cacheStatus: cacheStatusOf(received, context),
    },
  }
}

/** By the head, and of a playlist by what it says itself; `known`: what was read of the stored one. */
function timesOf(
  status: number,
  fields: FieldBlock,
  control: CacheControl,
  context: HeadContext,
  known: PlaylistFacts | undefined,
): Pick<MetaTimes, 'lifetimeMs' | 'staleWhileRevalidateMs' | 'staleIfErrorMs' | 'playlist'> {
  const { key, rule, responseMs } = context
  const { ageMs, isStale } = ageAtHead(fields, context)
  const lifetimeMs = lifetimeOf(status, fields, control, rule, responseMs)
  // To be asked for again before it is used: its life ended with a purge.
  const isSpent = isStale && ageMs < lifetimeMs
  const allowance = staleAllowanceOf(control, rule)
  const times = isSpent
    ? { ...allowance, lifetimeMs: ageMs, staleWhileRevalidateMs: 0 }
    : { ...allowance, lifetimeMs }
  const stated = isSpent || control.noCache || isStated(fields, control, rule, responseMs)
  const facts = known === undefined ? playlistFactsOf(status, key, fields, stated) : { ...known, stated }
  return facts === undefined ? times : { ...boundLifetimes(facts, times), playlist: facts }
}

/** How old it is as its head arrives, by what another edge says of it or by RFC 9111 §4.2.3. */
function ageAtHead(
  received: FieldBlock,
  { fromEdge, requestMs, responseMs }: HeadContext,
  playlist?: PlaylistFacts,
): PeerAge {
  // A reload was held until there was something new to say: that time is no age, which §4.2.3 cannot know.
  const sentMs = playlist?.blocking === true ? responseMs : requestMs
  const said = fromEdge ? peerAgeOf(received.get(PEER_AGE_LOWER), responseMs - sentMs) : undefined
  return said ?? { ageMs: initialAgeOf(received, sentMs, responseMs), isStale: false }
}

/** What the edges on the way did. Of other caches nothing is told: clients could not tell theirs from ours. */
function cacheStatusOf(received: FieldBlock, { fromEdge }: HeadContext): string | undefined {
  return fromEdge ? received.list('cache-status') : undefined
}

/** The origin states a lifetime, or a rule of the property does. */
function isStated(fields: FieldBlock, control: CacheControl, rule: LifetimeRule, nowMs: number): boolean {
  return rule.overrideMs !== undefined || explicitLifetimeOf(fields, control, nowMs) !== undefined
}

/** A cookie in a 304 is for whoever asked, and would reach everybody. */
const NOT_UPDATED_OR_COOKIE = new Set([...NOT_UPDATED, 'set-cookie', 'set-cookie2'])
const NO_NAMES: ReadonlySet<string> = new Set()

function withoutNamed(stored: FieldBlock, received: FieldBlock): string[] {
  const kept: string[] = []
  for (let i = 0; i < stored.pairs.length; i += 2) {
    const name = stored.pairs[i] ?? ''
    if (received.get(name.toLowerCase()) === undefined) kept.push(name, stored.pairs[i + 1] ?? '')
  }
  return kept
}

/** `control`: of an answer that is kept, with the fields that it names as not to be. */
function endToEnd(
  head: UpstreamHead,
  received: FieldBlock,
  ownCors: boolean,
  control: CacheControl | null,
  except: ReadonlySet<string> = NO_NAMES,
): string[] {
  const pairs = head.fields
  const named = new Set(
    (received.list('connection') ?? '').split(',').map((name) => name.trim().toLowerCase()),
  )
  for (const name of control?.noCacheFields ?? []) named.add(name)
  const kept: string[] = []
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] ?? ''
    const lower = name.toLowerCase()
    if (NOT_KEPT.has(lower) || named.has(lower) || except.has(lower)) continue
    // Of a part, this edge states its own.
    if (lower === 'content-range' && head.status === 206) continue
    if (ownCors && (lower.startsWith('access-control-') || lower === 'timing-allow-origin')) continue
    kept.push(name, pairs[i + 1] ?? '')
  }
  return kept
}

function rangeOf(head: UpstreamHead, received: FieldBlock): ContentRange {
  const range = parseContentRange(received.get('content-range'))
  if (range?.total === null) {
    throw new EdgewardError('origin_growing', 'origin', `${head.upstream}: 206 of what has no length yet`)
  }
  if (range === undefined) {
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
