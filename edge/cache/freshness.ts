// How long a response is fresh and how old it is (RFC 9111 §4.2). Pure.
import type { CacheControl } from '../../src/http/cache-control.ts'
import { parseHttpDate } from '../../src/http/date.ts'
import type { FieldBlock } from '../../src/http/fields.ts'
import type { ObjectMeta } from './object-meta.ts'

/** Errors and redirects worth remembering for a moment when the origin says nothing (RFC 9110 §15.1). */
const NEGATIVE_STATUSES = new Set([404, 405, 410, 414, 501])
export const NEGATIVE_LIFETIME_MS = 1000

/** RFC 9111 §1.2.2: an age that does not fit is taken as this. */
const AGE_SECONDS_MAX = 2 ** 31

export interface LifetimeRule {
  /** Overrides what the origin says; undefined when no rule matches. */
  overrideMs: number | undefined
  /** Where the origin says nothing. */
  defaultMs: number
}

/** Freshness lifetime in ms: the rule, then s-maxage, max-age, Expires, then the property's default. */
export function lifetimeOf(
  status: number,
  fields: FieldBlock,
  control: CacheControl,
  rule: LifetimeRule,
  nowMs: number,
): number {
  if (control.noCache) return 0
  if (rule.overrideMs !== undefined && status < 400) return rule.overrideMs
  const seconds = control.sMaxAge ?? control.maxAge
  if (seconds !== undefined) return seconds * 1000
  const expires = fields.get('expires')
  if (expires !== undefined) {
    // An invalid date is one in the past (RFC 9111 §5.3).
    const until = parseHttpDate(expires, nowMs) ?? 0
    return Math.max(0, until - dateOf(fields, nowMs))
  }
  return NEGATIVE_STATUSES.has(status) ? NEGATIVE_LIFETIME_MS : rule.defaultMs
}

function dateOf(fields: FieldBlock, nowMs: number): number {
  const date = fields.get('date')
  return (date === undefined ? undefined : parseHttpDate(date, nowMs)) ?? nowMs
}

/** Age of a response when its head arrives (RFC 9111 §4.2.3), in ms. */
export function initialAgeOf(fields: FieldBlock, requestMs: number, responseMs: number): number {
  const apparent = Math.max(0, responseMs - dateOf(fields, responseMs))
  const age = /^\d+$/.exec(fields.get('age')?.trim() ?? '')
  const stated = age === null ? 0 : Math.min(Number(age[0]), AGE_SECONDS_MAX) * 1000
  const corrected = stated + (responseMs - requestMs)
  // Date has whole seconds: below one, the difference says nothing.
  return Math.max(apparent < 1000 ? 0 : apparent, corrected)
}

export function ageOf(meta: ObjectMeta, nowMs: number): number {
  return meta.initialAgeMs + Math.max(0, nowMs - meta.receivedMs)
}

export function isFresh(meta: ObjectMeta, nowMs: number): boolean {
  return ageOf(meta, nowMs) < meta.lifetimeMs
}
