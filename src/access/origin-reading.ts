// How an origin may read a path that this edge takes as it stands. Servers differ: some decode `%2F` before they follow
// `..`, some end a segment at `;`, merge slashes, cut at a NUL, drop dots at the end. To be let in, a path must be
// listed as it stands and in that reading; to be refused, either is enough. Where one cannot tell what an origin will
// make of it, it is not let in.
import type { PathMatcher } from '../path-pattern.ts'

/** Separators, or a NUL, behind an escape, another escape, or too many bytes of UTF-8: read in as many ways as servers. */
const VEILED = /%(?:2F|5C|00|C0|C1|E0%8[01]|25(?:25)*(?:2[EF]|5C|3B|00|C0|C1|E0))/i

/** `path` is normalised, here and below. */
export function inEveryReading(matches: PathMatcher, path: string): boolean {
  return matches(path) && !isVeiled(path) && matches(originReading(path))
}

export function inSomeReading(matches: PathMatcher, path: string): boolean {
  return matches(path) || isVeiled(path) || matches(originReading(path))
}

export function isVeiled(path: string): boolean {
  return path.includes('%') && VEILED.test(path)
}

/** All paths but odd ones have one reading. */
const PLAIN = /^(?:\/[^/%;]*[^/%;.]|\/$)+\/?$/

/** Without parameters of segments, empty segments, and dots or spaces at their ends. The same string when it has none. */
export function originReading(path: string): string {
  if (PLAIN.test(path)) return path
  const segments = path.slice(1).split('/').map(nameOf)
  const kept = segments.filter((segment) => segment !== '')
  return kept.length > 0 && segments.at(-1) === '' ? `/${kept.join('/')}/` : `/${kept.join('/')}`
}

function nameOf(segment: string): string {
  const [name = ''] = segment.split(/;|%3B/, 1)
  let end = name.length
  for (;;) {
    if (name[end - 1] === '.') end -= 1
    else if (name.endsWith('%20', end)) end -= 3
    else return name.slice(0, end)
  }
}

/** An origin may find `..` in it yet: no directory can be told that it leads below. */
export function hidesClimb(path: string): boolean {
  return /[%;]/.test(path) && /(?:^|[/;\0])\.\.(?:%20)*(?:[/;\0]|$)/.test(decoded(path))
}

/** How often a chain of servers may decode. */
const ROUNDS_MAX = 3

/** Only what parts a path: any other escape is a character of a name. */
function decoded(path: string): string {
  let text = path
  for (let round = 0; round < ROUNDS_MAX && text.includes('%'); round++) {
    text = text
      .replace(/%(?:C0%AE|E0%80%AE|2E)/gi, '.')
      .replace(/%(?:C0%AF|E0%80%AF|C1%9C|E0%81%9C|2F|5C)/gi, '/')
      .replace(/%3B/gi, ';')
      .replace(/%00/g, '\0')
      .replace(/%25(?=(?:25)*(?:2[EF]|5C|3B|00|C0|C1|E0))/gi, '%')
  }
  return text
}
