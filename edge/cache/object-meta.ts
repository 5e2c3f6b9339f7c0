// What is known of one stored object apart from its bytes: head, validator, length, times. Immutable.
import { FieldBlock } from '../../src/http/fields.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import { parseEtag } from '../../src/http/validators.ts'
import type { Validators } from '../../src/http/validators.ts'

export interface ObjectMeta extends Validators {
  readonly key: string
  /** Binds slices together: equal only for bodies that are byte for byte the same object. */
  readonly version: string
  readonly status: number
  /** End-to-end fields to reply with; without Date, Age and Content-Length. */
  readonly fields: FieldBlock
  /** Text of Date. */
  readonly date: string
  /** Body bytes; null while a body of unknown length is still arriving. */
  readonly length: number | null
  readonly sliceBytes: number
  /** The upstream answers ranges of it. */
  readonly ranges: boolean
  /** When its head (or the last 304) arrived, ms since the epoch. */
  readonly receivedMs: number
  /** Age it had then (RFC 9111 §4.2.3). */
  readonly initialAgeMs: number
  readonly lifetimeMs: number
}

/**
 * The version of a body: its validator and total length. An answer with neither ETag nor Last-Modified gets
 * `unique`, so that its slices are never mixed with those of another answer.
 */
export function versionOf(validators: Validators, length: number | null, unique: string): string {
  const validator = validators.etag ?? validators.lastModified
  return validator === undefined || length === null ? `${unique}/${length ?? '*'}` : `${validator}/${length}`
}

export function validatorsOf(fields: FieldBlock): Validators {
  return { etag: parseEtag(fields.get('etag')), lastModified: fields.get('last-modified') }
}

/** Number of slices of a body of this length; an empty body has one, empty, slice. */
export function sliceCount(length: number, sliceBytes: number): number {
  return Math.max(1, Math.ceil(length / sliceBytes))
}

/** Length of slice `index`. */
export function sliceLength(length: number, sliceBytes: number, index: number): number {
  return Math.max(0, Math.min(sliceBytes, length - index * sliceBytes))
}

/** Name of a slice in the memory tier and among the flights: slice 0 has the object's own name. */
export function sliceName(key: string, index: number): string {
  return index === 0 ? key : `${key}\n${index}`
}

/** The same object after a 304: fields it names replace the stored ones (RFC 9111 §3.2). */
export function refreshed(
  meta: ObjectMeta,
  update: FieldPairs,
  times: Pick<ObjectMeta, 'receivedMs' | 'initialAgeMs' | 'lifetimeMs' | 'date'>,
): ObjectMeta {
  const named = new Set<string>()
  for (let i = 0; i < update.length; i += 2) named.add(update[i]?.toLowerCase() ?? '')
  const kept: string[] = []
  for (let i = 0; i < meta.fields.pairs.length; i += 2) {
    const name = meta.fields.pairs[i] ?? ''
    if (!named.has(name.toLowerCase())) kept.push(name, meta.fields.pairs[i + 1] ?? '')
  }
  return { ...meta, ...times, fields: new FieldBlock([...kept, ...update]) }
}
