// What an answer to another edge says besides: its tags, which no client is told, and its age to the millisecond, since
// what lives for a second would seem new at each of three edges in turn. Pure.
import { ageOf } from '../cache/freshness.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { CacheOutcome } from '../../src/http/cache-status.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import { PEER_AGE_FIELD } from '../../src/wire/peer-token.ts'

export function peerFields(meta: ObjectMeta, outcome: CacheOutcome, nowMs: number): FieldPairs {
  // By its age alone, what was purged softly would seem fresh where it stands in for an error.
  const stale = outcome === 'stale' ? '; stale' : ''
  const fields = [PEER_AGE_FIELD, `${Math.floor(ageOf(meta, nowMs))}${stale}`]
  // A tag has no comma (purge/object-tags.ts).
  if (meta.tags !== undefined) fields.push('Cache-Tag', meta.tags.join(','))
  return fields
}

export interface PeerAge {
  readonly ageMs: number
  readonly stale: boolean
}

/** undefined: not said, or not so that it can be read. */
export function parsePeerAge(field: string | undefined): PeerAge | undefined {
  const match = /^(\d{1,15})(; stale)?$/.exec(field ?? '')
  return match === null ? undefined : { ageMs: Number(match[1]), stale: match[2] !== undefined }
}
