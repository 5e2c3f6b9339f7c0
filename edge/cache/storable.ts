// May a response be kept for other clients (RFC 9111 §3)? Every no has its reason. Pure.
import type { CacheControl } from '../../src/http/cache-control.ts'
import type { FieldBlock } from '../../src/http/fields.ts'
import type { SelectingFields } from '../../src/http/vary.ts'

export type StorableVerdict =
  | 'storable'
  | 'status'
  | 'not-understood'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'set-cookie'
  | 'vary'
  | 'no-freshness'
  | 'no-validator'
  | 'head-too-long'

/** RFC 9110 §15.1. */
const HEURISTIC_STATUSES = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])
/** Final statuses whose caching rules this cache knows, for must-understand (RFC 9111 §5.2.2.3). */
const UNDERSTOOD_STATUSES = new Set([
  ...HEURISTIC_STATUSES,
  201,
  202,
  302,
  303,
  307,
  400,
  401,
  403,
  500,
  502,
  503,
  504,
])

export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTIC_STATUSES.has(status)
}

export interface StorableQuestion {
  status: number
  fields: FieldBlock
  control: CacheControl
  lifetimeMs: number
  /** The origin states a lifetime, or a rule of the property does. */
  explicit: boolean
  selecting: SelectingFields
  /** The request carried Authorization. */
  authorised: boolean
  /** The property's rule for Set-Cookie. */
  setCookie: 'pass' | 'keep'
  headBytesMax: number
}

export function storableVerdict(question: StorableQuestion): StorableVerdict {
  const { status, fields, control } = question
  const understood = UNDERSTOOD_STATUSES.has(status)
  if (control.mustUnderstand && !understood) return 'not-understood'
  if (control.noStore && !control.mustUnderstand) return 'no-store'
  if (control.private) return 'private'
  // RFC 9111 §3.5.
  const forAll = control.public || control.mustRevalidate || control.sMaxAge !== undefined
  if (question.authorised && !forAll) return 'authorization'
  if (question.setCookie === 'pass' && fields.get('set-cookie') !== undefined) return 'set-cookie'
  if (question.selecting === '*') return 'vary'
  if (status < 200 || status === 304) return 'status'
  if (!question.explicit && !control.public && !HEURISTIC_STATUSES.has(status)) return 'status'
  // Without lifetime it is worth keeping only to ask whether it still holds.
  if (
    question.lifetimeMs === 0 &&
    fields.get('etag') === undefined &&
    fields.get('last-modified') === undefined
  ) {
    return 'no-freshness'
  }
  return fields.text.length > question.headBytesMax ? 'head-too-long' : 'storable'
}
