// What is known of one stored object apart from its bytes: head, validator, length, times. Immutable.
import { hash } from 'node:crypto'
import { FieldBlock, NO_FIELDS } from '../../src/http/fields.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import { isStrong, parseEtag } from '../../src/http/validators.ts'
import type { Validators } from '../../src/http/validators.ts'
import type { PlaylistFacts } from '../playlist/playlist-times.ts'

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
  /** Past its lifetime: how long it may be used while it is revalidated, and in place of an error. */
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
  /**
   * Not empty: no object but a sign at the primary key that says which request fields select a variant.
   * Variants have keys made from its version, so a new sign leaves the old ones unreachable.
   */
  readonly selecting: readonly string[]
  /** The count of purges as of which it was asked for (purge/purge-rules.ts). */
  readonly asOf: number
  /** Up to which count it was found not to be purged: the only thing of a head that changes. */
  readonly held: { upTo: number }
  /** What else it may be purged by; left out: nothing. */
  readonly tags?: readonly string[] | undefined
  /** Cache-Status of the edges that it came through, the first to have it in front. */
  readonly cacheStatus?: string | undefined
  /** Never on disk: a key of HLS. */
  readonly memoryOnly?: true
  /** Fetched before anybody asked: memory is for what somebody did ask for. */
  readonly ahead?: true
  /** Set when it may be a playlist. */
  readonly playlist?: PlaylistFacts
}

/**
 * The version of a body: its validator and total length. An answer without a usable validator gets
 * `unique`, so that its slices are never mixed with those of another answer.
 */
export function versionOf(validators: Validators, length: number | null, unique: string): string {
  const validator = combiningValidator(validators)
  return validator === undefined || length === null ? `${unique}/${length ?? '*'}` : `${validator}/${length}`
}

/** What tells that two parts are of one body; a weak ETag alone does not (RFC 9110 §8.8.1). */
export function combiningValidator({ etag, lastModified }: Validators): string | undefined {
  if (etag !== undefined && isStrong(etag)) return etag
  return lastModified === undefined ? undefined : `${lastModified} ${etag ?? ''}`
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

export function createSign(
  key: string,
  selecting: readonly string[],
  unique: string,
  nowMs: number,
  sliceBytes: number,
  asOf: number,
): ObjectMeta {
  return {
    key,
    version: unique,
    asOf,
    held: { upTo: asOf },
    status: 200,
    fields: NO_FIELDS,
    date: '',
    etag: undefined,
    lastModified: undefined,
    length: 0,
    sliceBytes,
    ranges: false,
    receivedMs: nowMs,
    initialAgeMs: 0,
    lifetimeMs: 0,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    selecting,
  }
}

export function isSignFor(meta: ObjectMeta, selecting: readonly string[]): boolean {
  return meta.selecting.length > 0 && meta.selecting.join() === selecting.join()
}

/** Key of the variant that a request selects; `text` from variantText(). */
export function variantKey(sign: ObjectMeta, text: string): string {
  return `${sign.key} #${hash('sha256', `${sign.version}\n${text}`, 'hex').slice(0, VARIANT_DIGITS)}`
}

const VARIANT_DIGITS = 40

/** Of a variant's key, what follows its primary key. A text of its own, that keeps no longer one alive. */
export function variantEnd(key: string): string {
  return Buffer.from(key.slice(-VARIANT_DIGITS - 2), 'latin1').toString('latin1')
}

/** Of a variant's key, what tells it from others of its object. A number: it keeps no text alive. */
export function variantNumber(key: string): number {
  return Number.parseInt(key.slice(-12), 16)
}

/** What a head costs in memory, about: each text once in the fields' lines and once by itself. */
export function bytesOfMeta(meta: ObjectMeta): number {
  return 1024 + meta.key.length + meta.version.length + 2 * meta.fields.text.length
}

/** Name of a slice in the memory tier and among the flights: slice 0 has the object's own name. */
export function sliceName(key: string, index: number): string {
  return index === 0 ? key : `${key}\n${index}`
}

export type MetaTimes = Pick<
  ObjectMeta,
  | 'receivedMs'
  | 'initialAgeMs'
  | 'lifetimeMs'
  | 'staleWhileRevalidateMs'
  | 'staleIfErrorMs'
  | 'date'
  | 'playlist'
  | 'asOf'
  | 'held'
  | 'tags'
  | 'cacheStatus'
>

/** The same object after a 304: fields it names replace the stored ones (RFC 9111 §3.2). */
export function refreshed(meta: ObjectMeta, update: FieldPairs, times: MetaTimes): ObjectMeta {
  const named = new Set<string>()
  for (let i = 0; i < update.length; i += 2) named.add(update[i]?.toLowerCase() ?? '')
  const kept: string[] = []
  for (let i = 0; i < meta.fields.pairs.length; i += 2) {
    const name = meta.fields.pairs[i] ?? ''
    if (!named.has(name.toLowerCase())) kept.push(name, meta.fields.pairs[i + 1] ?? '')
  }
  return { ...meta, ...times, fields: new FieldBlock([...kept, ...update]) }
}
