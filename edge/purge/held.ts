// Whether an object still is what it was when it was asked for. While nothing is purged that is one comparison; after a
// purge each object is held against the rules once.
import type { ObjectMeta } from '../cache/object-meta.ts'
import { withoutDirectives } from '../playlist/known-playlists.ts'
import type { PurgeVerdict } from './purge-marks.ts'
import type { PurgeRules, PurgedTarget } from './purge-rules.ts'

export function isHeld(meta: ObjectMeta, rules: PurgeRules): boolean {
  if (meta.held.upTo >= rules.count) return true
  if (purgeVerdictOf(meta, rules) !== 'valid') return false
  meta.held.upTo = rules.count
  return true
}

/** Of rules that it was not held against yet. */
export function purgeVerdictOf(meta: ObjectMeta, rules: PurgeRules): PurgeVerdict {
  return rules.verdictOf(targetOf(meta.key), meta.tags ?? [], meta.held.upTo)
}

/**
 * Whether bytes of one may stand beside bytes of the other. One version is not enough where something was purged hard
 * in between: an origin may give a bad body and the good one after it the same name.
 */
export function isSameBody(a: ObjectMeta, b: ObjectMeta, rules: PurgeRules): boolean {
  if (a.version !== b.version) return false
  if (a.asOf === b.asOf) return true
  // Whether the newer one was purged too, and thus which of them the purge stands between, no rule can tell.
  const older = a.asOf < b.asOf ? a : b
  return isHeld(older, rules) || purgeVerdictOf(older, rules) !== 'gone'
}

/**
 * Keys are `PROPERTY PATH`, with a query, and behind a space a variant (object-meta.ts) or a range of what grows
 * (low-latency.ts): all of these go with their object, and reloads of a playlist with the playlist.
 */
export function targetOf(key: string): PurgedTarget {
  const space = key.indexOf(' ')
  const end = key.indexOf(' ', space + 1)
  const primary = withoutDirectives(end < 0 ? key : key.slice(0, end))
  const question = primary.indexOf('?', space)
  const path = primary.slice(space + 1, question < 0 ? primary.length : question)
  return { property: key.slice(0, space), path, key: primary }
}
