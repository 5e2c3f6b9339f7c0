// The cache key: property, normalised path, and the query parameters that matter, sorted. Two targets with
// one key ask for one object; what goes upstream is the key's own path and query, so that they do.
import { normalisePath } from '../../src/http/normal-path.ts'

export interface KeyedTarget {
  key: string
  /** Normalised path without query, for rules. */
  path: string
  /** Normalised path and query, for the origin. */
  upstreamPath: string
}

/** Parameters that say who asks, not what for. */
const DROPPED = /^(?:~not|cmcd|utm_[a-z_]+|gclid|fbclid|msclkid|dclid)$/i

/** `target` is origin-form, any property prefix taken off. null when it is not a path this edge understands. */
export function keyOf(propertyId: string, target: string): KeyedTarget | null {
  const question = target.indexOf('?')
  const path = normalisePath(question < 0 ? target : target.slice(0, question))
  // A fragment is no part of a target: the origin would drop it, and every one would be a key of its own.
  if (path === null || target.includes('#')) return null
  const query = question < 0 ? '' : normaliseQuery(target.slice(question + 1))
  const upstreamPath = query === '' ? path : `${path}?${query}`
  return { key: `${propertyId} ${upstreamPath}`, path, upstreamPath }
}

function normaliseQuery(query: string): string {
  if (query === '') return ''
  const kept = query.split('&').filter((parameter) => {
    const equals = parameter.indexOf('=')
    return parameter !== '' && !DROPPED.test(equals < 0 ? parameter : parameter.slice(0, equals))
  })
  if (kept.length < 2) return kept.join('')
  // By name only, and stably: the order of equal names may carry meaning.
  return kept
    .map((parameter) => ({ parameter, name: parameter.split('=', 1)[0] ?? '' }))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ parameter }) => parameter)
    .join('&')
}
