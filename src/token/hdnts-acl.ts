// The `acl` of Akamai's tokens: paths with `*` for any characters, slashes too, and `?` for one, several parted by
// `!`. It is matched against the normalised path, the one that is served.
import { unescaped } from './query-parameter.ts'

/** An `acl` is signed by the owner; still, no list may make a request slow. */
const ENTRIES_MAX = 64

/**
 * The list's patterns, spelled as paths are normalised; undefined for none or too many. A list that was escaped as a
 * whole, as older generators do, is decoded: a path begins with a slash, so the two are told apart.
 */
export function parseAcl(text: string): readonly string[] | undefined {
  const list = /^%2f/i.test(text) ? unescaped(text) : text
  const entries = list.split('!').filter((entry) => entry !== '')
  return entries.length === 0 || entries.length > ENTRIES_MAX ? undefined : entries.map(normalPattern)
}

/** `path` is normalised. */
export function aclCovers(patterns: readonly string[], path: string): boolean {
  return !climbs(path) && patterns.some((pattern) => matches(pattern, path))
}

/**
 * Dot segments behind encoded slashes, or behind the `;` at which some origins end a segment: no other cache sees
 * them, but an origin that decodes first would climb out of the directory that the acl names.
 */
function climbs(path: string): boolean {
  return /[%;]/.test(path) && /(?:\/|%2F|%5C)\.{1,2}(?:\/|;|%2F|%5C|$)/.test(path)
}

/** Spelled as normalisePath spells, but without following dot segments: `*` may stand next to them. */
function normalPattern(pattern: string): string {
  const encoded = pattern.replace(/[^\x21-\x7e]/g, percentEncoded)
  return encoded.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = unescaped(escape)
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
  })
}

/** One byte; tokens are Latin-1 texts. */
function percentEncoded(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`
}

/** Takes at most (length × length) steps. */
function matches(pattern: string, path: string): boolean {
  let at = 0
  let from = 0
  // Where to go on when what follows the last `*` does not fit: behind it, one character later.
  let star = -1
  let retry = 0
  while (from < path.length) {
    const expected = pattern[at]
    if (expected === '*') {
      star = at
      at += 1
      retry = from
    } else if (expected === '?' || expected === path[from]) {
      at += 1
      from += 1
    } else if (star >= 0) {
      retry += 1
      from = retry
      at = star + 1
    } else return false
  }
  while (pattern[at] === '*') at += 1
  return at === pattern.length
}
