// How an origin may read a path that this edge takes as it stands. Servers differ: some decode `%2F` before they follow
// `..`, some end a segment at `;`, merge slashes, cut at a NUL, drop dots at the end. To be let in, a path must be
// listed in each of these readings; to be refused, one is enough. Where one cannot tell what an origin will
// make of it, it is not let in.
import type { PathMatcher } from '../path-pattern.ts'

/** Separators, or a NUL, behind an escape, another escape, or too many bytes of UTF-8: read in as many ways as servers. */
const VEILED = /%(?:2F|3B|5C|00|C0|C1|E0%8[01]|25(?:25)*(?:2[EF]|5C|3B|00|C0|C1|E0))/i

/** To be let in by `matches`. `path` is normalised, here and below. */
export function inEveryReading(matches: PathMatcher, path: string): boolean {
  return matches(path) && !isVeiled(path) && originReadings(path).every(matches)
}

/** Nobody can tell what its origin makes of it. */
export function isVeiled(path: string): boolean {
  return (path.includes('%') && VEILED.test(path)) || hidesClimb(path)
}

/** All paths but odd ones have one reading. */
const PLAIN = /^(?:\/[^/%;]*[^/%;.]|\/$)+\/?$/

/**
 * Besides the path itself: without empty segments and without dots and spaces at the ends of names, and the same with
 * segments that end at `;`. None for a path that all servers read alike.
 */
export function originReadings(path: string): readonly string[] {
  if (PLAIN.test(path)) return NONE
  const merged = readingOf(path, withoutDotsBehind)
  return path.includes(';') ? [merged, readingOf(path, withoutParameters)] : [merged]
}

const NONE: readonly string[] = []

function readingOf(path: string, nameOf: (segment: string) => string): string {
  const segments = path.slice(1).split('/').map(nameOf)
  const kept = segments.filter((segment) => segment !== '')
  return kept.length > 0 && segments.at(-1) === '' ? `/${kept.join('/')}/` : `/${kept.join('/')}`
}

function withoutParameters(segment: string): string {
  return withoutDotsBehind(segment.split(';', 1)[0] ?? '')
}

function withoutDotsBehind(name: string): string {
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
