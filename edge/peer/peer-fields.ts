// What an answer to another edge says besides: its tags, which no client is told, and its age to the millisecond. By whole
// seconds, what lives for one would seem new at each of three edges in turn. Pure.
import { ageOf } from '../cache/freshness.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { CacheOutcome } from '../../src/http/cache-status.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import { PEER_AGE_FIELD } from '../../src/wire/peer-token.ts'

/** `tookMs`: since the request came. */
export function peerFields(
  meta: ObjectMeta,
  outcome: CacheOutcome,
  nowMs: number,
  tookMs: number,
): FieldPairs {
  // By its age alone, what was purged softly would seem fresh where it stands in for an error.
  const stale = outcome === 'stale' ? ';stale' : ''
  const fields = [PEER_AGE_FIELD, `${ms(ageOf(meta, nowMs))};${ms(tookMs)}${stale}`]
  // A tag has no comma (purge/object-tags.ts).
  if (meta.tags !== undefined) fields.push('Cache-Tag', meta.tags.join(','))
  return fields
}

export interface PeerAge {
  readonly ageMs: number
  readonly isStale: boolean
}

/**
 * The age of an answer as it comes here; undefined where it does not say. `delayMs`: since the request was sent. Of that,
 * what the other edge took is in its age already: RFC 9111 §4.2.3 would count it once more at each edge.
 */
export function peerAgeOf(field: string | undefined, delayMs: number): PeerAge | undefined {
  const match = /^(\d{1,15});(\d{1,15})(;stale)?$/.exec(field ?? '')
  if (match === null) return undefined
  const [, age, took, stale] = match
  return { ageMs: Number(age) + Math.max(0, delayMs - Number(took)), isStale: stale !== undefined }
}

function ms(value: number): string {
  return String(Math.max(0, Math.floor(value)))
}
