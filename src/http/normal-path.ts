// One spelling for each path: what is cached, asked of an origin, or covered by a token is told apart by it.

const PLAIN_PATH = /^\/[A-Za-z0-9\-_~!$&'()*+,;=:@/.]*$/

/**
 * RFC 3986 §6.2.2: dot segments removed, unreserved characters decoded, hex digits in capitals. `path` is without
 * query. null when it is not well formed.
 */
export function normalisePath(path: string): string | null {
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
