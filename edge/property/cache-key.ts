// The cache key: property, normalised path, and the query parameters that matter, sorted. Two targets with
// one key ask for one object; what goes upstream is the key's own path and query, so that they do.

export interface KeyedTarget {
  key: string
  /** Normalised path without query, for rules. */
  path: string
  /** Normalised path and query, for the origin. */
  upstreamPath: string
}

/** Parameters that say who asks, not what for. */
const DROPPED = /^(?:cmcd|utm_[a-z_]+|gclid|fbclid|msclkid|dclid)$/i
const PLAIN_PATH = /^\/[A-Za-z0-9\-_~!$&'()*+,;=:@/.]*$/

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

/** RFC 3986 §6.2.2: dot segments removed, unreserved characters decoded, hex digits in capitals. */
function normalisePath(path: string): string | null {
  if (PLAIN_PATH.test(path) && !path.includes('/.')) return path
  if (!path.startsWith('/') || /%(?![0-9A-Fa-f]{2})/.test(path) || /[\0-\x20"#<>\\^`{|}\x7f]/.test(path))
    return null
  const decoded = path.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
  })
  return removeDotSegments(decoded)
}

function removeDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (last) kept.push('')
  }
  return `/${kept.join('/')}`
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
