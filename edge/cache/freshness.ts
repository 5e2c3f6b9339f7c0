// How long a response is fresh, how old it is, and how long it may be used stale (RFC 9111 §4.2, RFC 5861).
// Pure.
import type { CacheControl } from '../../src/http/cache-control.ts'
import { parseHttpDate } from '../../src/http/date.ts'
import type { FieldBlock } from '../../src/http/fields.ts'
import type { ObjectMeta } from './object-meta.ts'
import { isHeuristicallyCacheable } from './storable.ts'

/** Errors worth remembering for a moment when the origin says nothing (RFC 9110 §15.1). */
const NEGATIVE_STATUSES = new Set([404, 405, 410, 414, 501])
export const NEGATIVE_LIFETIME_MS = 1000
/** RFC 9111 §1.2.2: an age that does not fit is taken as this; so is one that is no age. */
const AGE_SECONDS_MAX = 2 ** 31
/** RFC 9111 §4.2.2: a tenth of the time since it was last modified, and never more than a day. */
const HEURISTIC_SHARE = 0.1
const HEURISTIC_MS_MAX = 86_400_000

export interface LifetimeRule {
  /** Overrides what the origin says; undefined when no rule matches. */
  overrideMs: number | undefined
  /** Where the origin says nothing; 0: by heuristics. */
  defaultMs: number
  /** How long past its lifetime a response may stand in for an error, where the origin says nothing. */
  staleIfErrorMs: number
}

/** Freshness lifetime in ms: the rule, then s-maxage, max-age, Expires, the property's default, heuristics. */
export function lifetimeOf(
  status: number,
  fields: FieldBlock,
  control: CacheControl,
  rule: LifetimeRule,
  nowMs: number,
): number {
  if (control.noCache) return 0
  if (rule.overrideMs !== undefined && status < 400) return rule.overrideMs
  return (
    explicitLifetimeOf(fields, control, nowMs) ?? implicitLifetimeOf(status, fields, control, rule, nowMs)
  )
}

/** What the origin says; undefined when it says nothing. */
export function explicitLifetimeOf(
  fields: FieldBlock,
  control: CacheControl,
  nowMs: number,
): number | undefined {
  const seconds = control.sMaxAge ?? control.maxAge
  if (seconds !== undefined) return seconds * 1000
  const expires = control.targeted ? undefined : fields.get('expires')
  if (expires === undefined) return undefined
  // An invalid date is one in the past (RFC 9111 §5.3).
  const until = parseHttpDate(expires, nowMs) ?? 0
  return Math.max(0, until - dateOf(fields, nowMs))
}

function implicitLifetimeOf(
  status: number,
  fields: FieldBlock,
  control: CacheControl,
  rule: LifetimeRule,
  nowMs: number,
): number {
  if (rule.defaultMs > 0 && status < 400) return rule.defaultMs
  const modified = fields.get('last-modified')
  const modifiedMs = modified === undefined ? undefined : parseHttpDate(modified, nowMs)
  if (modifiedMs !== undefined && (isHeuristicallyCacheable(status) || control.public)) {
    const sinceMs = Math.max(0, dateOf(fields, nowMs) - modifiedMs)
    return Math.min(sinceMs * HEURISTIC_SHARE, HEURISTIC_MS_MAX)
  }
  return NEGATIVE_STATUSES.has(status) ? NEGATIVE_LIFETIME_MS : 0
}

function dateOf(fields: FieldBlock, nowMs: number): number {
  const date = fields.get('date')
  return (date === undefined ? undefined : parseHttpDate(date, nowMs)) ?? nowMs
}

/** Age of a response when its head arrives (RFC 9111 §4.2.3), in ms. An Age that is not one number means old. */
export function initialAgeOf(fields: FieldBlock, requestMs: number, responseMs: number): number {
  const apparent = Math.max(0, responseMs - dateOf(fields, responseMs))
  const corrected = statedAge(fields) * 1000 + (responseMs - requestMs)
  // Date has whole seconds: below one, the difference says nothing.
  return Math.max(apparent < 1000 ? 0 : apparent, corrected)
}

/** Age in seconds. Of a list the first member counts (RFC 9111 §5.1). */
function statedAge(fields: FieldBlock): number {
  const lines = fields.all('age')
  const members = (lines[0] ?? '0').split(',').map((member) => member.trim())
  // Two lines, or the same member twice, are what a hop leaves that copied the field: nothing says whose it is.
  if (lines.length > 1 || new Set(members).size < members.length) return AGE_SECONDS_MAX
  const first = members[0] ?? ''
  return /^\d+$/.test(first) ? Math.min(Number(first), AGE_SECONDS_MAX) : AGE_SECONDS_MAX
}

export interface StaleAllowance {
  staleWhileRevalidateMs: number
  staleIfErrorMs: number
}

/** How long past its lifetime a response may be used (RFC 9111 §4.2.4, RFC 5861). */
export function staleAllowanceOf(control: CacheControl, rule: LifetimeRule): StaleAllowance {
  const forbidden = control.mustRevalidate || control.proxyRevalidate || control.noCache
  if (forbidden) return { staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }
  // s-maxage forbids it too, unless the origin says in the same breath how long.
  const byDefault = control.sMaxAge === undefined ? rule.staleIfErrorMs : 0
  return {
    staleWhileRevalidateMs: (control.staleWhileRevalidate ?? 0) * 1000,
    staleIfErrorMs: control.staleIfError === undefined ? byDefault : control.staleIfError * 1000,
  }
}

export function ageOf(meta: ObjectMeta, nowMs: number): number {
  return meta.initialAgeMs + Math.max(0, nowMs - meta.receivedMs)
}

export function isFresh(meta: ObjectMeta, nowMs: number): boolean {
  return ageOf(meta, nowMs) < meta.lifetimeMs
}

/** Stale, but may be used while it is revalidated. */
export function mayServeWhileRevalidating(meta: ObjectMeta, nowMs: number): boolean {
  return ageOf(meta, nowMs) < meta.lifetimeMs + meta.staleWhileRevalidateMs
}

/** Stale, but better than an error. */
export function mayServeOnError(meta: ObjectMeta, nowMs: number): boolean {
  return ageOf(meta, nowMs) < meta.lifetimeMs + meta.staleIfErrorMs
}
