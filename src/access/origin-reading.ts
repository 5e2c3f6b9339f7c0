// How an origin may read a path that this edge takes as it stands. Servers differ: some decode `%2F` before they follow
// `..`, some end a segment at `;`, merge slashes, cut at a NUL, or drop dots at the end. What is allowed must be allowed
// in that reading too, or `/free/..%2Fpaid/x` is free here and paid there; what is refused is refused in either.

/** Nothing of what readings differ in: all paths but odd ones. */
const PLAIN = /^(?:\/[^/%;]*[^/%;.]|\/$)+\/?$/

/** The most lenient reading of a normalised path; the same string when there is but one. */
export function originReading(path: string): string {
  if (PLAIN.test(path)) return path
  const kept: string[] = []
  const segments = segmentsOf(path)
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return kept.length > 0 && /^\.{0,2}$/.test(segments.at(-1) ?? '')
    ? `/${kept.join('/')}/`
    : `/${kept.join('/')}`
}

/** A normalised path in which an origin may find `..` yet: it leads where nobody can tell. */
export function hidesClimb(path: string): boolean {
  return /[%;]/.test(path) && segmentsOf(path).includes('..')
}

function segmentsOf(path: string): string[] {
  const [whole = ''] = decoded(path).split('\0', 1)
  return whole
    .slice(1)
    .split('/')
    .map((segment) => {
      const [name = ''] = segment.split(';', 1)
      return /^\.{0,2}$/.test(name) ? name : withoutDotsBehind(name)
    })
}

/** Nor spaces. */
function withoutDotsBehind(name: string): string {
  let end = name.length
  for (;;) {
    if (name[end - 1] === '.') end -= 1
    else if (name.endsWith('%20', end)) end -= 3
    else return name.slice(0, end)
  }
}

/** How often a chain of servers may decode. */
const ROUNDS_MAX = 3
/** Of `.`, `/` and `\` in too many bytes of UTF-8, which lax decoders take. */
const OVERLONG: readonly [RegExp, string][] = [
  [/%(?:C0%AE|E0%80%AE)/gi, '.'],
  [/%(?:C0%AF|E0%80%AF|C1%9C|E0%81%9C)/gi, '/'],
]

/** Only what changes where a path leads: any other escape is a character of a name. */
function decoded(path: string): string {
  let text = path
  for (let round = 0; round < ROUNDS_MAX && text.includes('%'); round++) {
    for (const [form, character] of OVERLONG) text = text.replace(form, character)
    text = text
      .replace(/%(?:2F|5C)/gi, '/')
      .replace(/%2E/gi, '.')
      .replace(/%3B/gi, ';')
      .replace(/%00/g, '\0')
      .replace(/%25(?=(?:25)*(?:2E|2F|5C|3B|00|C0|C1|E0))/gi, '%')
  }
  return text
}
