// Whether an object still is what it was when it was asked for. While nothing is purged that is one comparison; after a
// purge each object is held against the rules once.
import type { ObjectMeta } from '../cache/object-meta.ts'
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

/** Keys are `PROPERTY PATH`, with a query and behind that a variant (object-meta.ts). */
export function targetOf(key: string): PurgedTarget {
  const space = key.indexOf(' ')
  const variant = key.indexOf(' #', space + 1)
  const primary = variant < 0 ? key : key.slice(0, variant)
  const question = primary.indexOf('?', space)
  const path = primary.slice(space + 1, question < 0 ? primary.length : question)
  return { property: key.slice(0, space), path, key: primary }
}
