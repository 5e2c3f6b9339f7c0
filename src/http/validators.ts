// Validators and the conditions clients put on them (RFC 9110 §8.8, §13).
import { parseHttpDate } from './date.ts'

export interface Validators {
  /** As received, with quotes and W/. */
  etag: string | undefined
  /** Text of Last-Modified as received. */
  lastModified: string | undefined
}

const ETAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/

/** The field's value if it is an entity tag. */
export function parseEtag(text: string | undefined): string | undefined {
  return text !== undefined && ETAG.test(text) ? text : undefined
}

export function isStrong(etag: string): boolean {
  return !etag.startsWith('W/')
}

const opaque = (etag: string) => (etag.startsWith('W/') ? etag.slice(2) : etag)

/** If-None-Match by weak comparison (RFC 9110 §13.1.2). */
export function matchesNoneOf(field: string, etag: string | undefined): boolean {
  if (field.trim() === '*') return false
  if (etag === undefined) return true
  const wanted = opaque(etag)
  for (const match of field.matchAll(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g)) {
    if (opaque(match[0]) === wanted) return false
  }
  return true
}

/** True when the client's copy still holds, so that 304 answers (RFC 9110 §13.2.2). */
export function isNotModified(
  ifNoneMatch: string | undefined,
  ifModifiedSince: string | undefined,
  validators: Validators & { date?: string },
  nowMs: number,
): boolean {
  if (ifNoneMatch !== undefined) return !matchesNoneOf(ifNoneMatch, validators.etag)
  // Without Last-Modified, it was not modified after it was made (RFC 9111 §4.3.2).
  const lastModified = validators.lastModified ?? validators.date
  if (ifModifiedSince === undefined || lastModified === undefined) return false
  const since = parseHttpDate(ifModifiedSince, nowMs)
  const modified = parseHttpDate(lastModified, nowMs)
  return since !== undefined && modified !== undefined && modified <= since
}

/** If-Range by strong comparison (RFC 9110 §13.1.5): may the Range be answered with a part? */
export function ifRangeHolds(field: string | undefined, validators: Validators): boolean {
  if (field === undefined) return true
  const etag = parseEtag(field)
  if (etag !== undefined) return isStrong(etag) && etag === validators.etag
  return validators.lastModified !== undefined && field === validators.lastModified
}
