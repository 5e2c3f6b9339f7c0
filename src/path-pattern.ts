// Glob patterns over request paths, for cache rules: `*.m4s`, `/live/**`, `/vod/*/init-?.mp4`.
// Compiled to a small automaton that reads each character of the path once, so that no pattern and no path
// together take more than (length × length) steps.
//
// `*` any characters of one segment · `**` any characters, slashes too · `?` one character of a segment
// `/**/` also no segment at all. Without `/` the pattern is matched against the last segment, otherwise
// against the whole path. Case counts; there is no escape, since `*` and `?` in a path can be any character.

export type PathMatcher = (path: string) => boolean

const ANY = -1 // `?`
const STAR = -2 // `*`
const GLOBSTAR = -3 // `**`
const SEGMENTS = -4 // `**/` at the start of a segment; its second state, IN_SEGMENT, follows it
const IN_SEGMENT = -5

const SLASH = 0x2f

/** `path` is without query. */
export function compilePathPattern(text: string): PathMatcher {
  if (!text.includes('/')) {
    // The last segment holds no slash: `**` is `*` here.
    const matches = automaton(text.replaceAll(/\*+/g, '*'))
    return (path) => matches(path, path.lastIndexOf('/') + 1)
  }
  const matches = automaton(text.startsWith('/') ? text : `/${text}`)
  return (path) => matches(path, 0)
}

function automaton(text: string): (path: string, from: number) => boolean {
  const steps = stepsOf(text)
  const firstWildcard = steps.findIndex((step) => step < 0)
  const literal = text.slice(0, firstWildcard < 0 ? text.length : firstWildcard)
  if (firstWildcard < 0) return (path, from) => path.length - from === text.length && path.endsWith(text)
  const end = steps.length
  // Reused between calls: matching is synchronous.
  let now = new Uint8Array(end + 1)
  let next = new Uint8Array(end + 1)
  return (path, from) => {
    if (!path.startsWith(literal, from)) return false
    now.fill(0)
    enter(steps, now, firstWildcard)
    for (let i = from + firstWildcard; i < path.length; i += 1) {
      next.fill(0)
      let alive = false
      const char = path.charCodeAt(i)
      for (let state = firstWildcard; state < end; state += 1) {
        if (now[state] === 0) continue
        const to = after(steps, state, char)
        if (to < 0) continue
        enter(steps, next, to)
        alive = true
      }
      if (!alive) return false
      ;[now, next] = [next, now]
    }
    return now[end] === 1
  }
}

/** Character codes and the negative codes above. */
function stepsOf(text: string): number[] {
  const steps: number[] = []
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]
    if (char === '?') steps.push(ANY)
    else if (char !== '*') steps.push(text.charCodeAt(i))
    else if (text[i + 1] !== '*') steps.push(STAR)
    else {
      const startsSegment = text[i - 1] === '/'
      while (text[i + 1] === '*') i += 1
      if (startsSegment && text[i + 1] === '/') {
        steps.push(SEGMENTS, IN_SEGMENT)
        i += 1
      } else steps.push(GLOBSTAR)
    }
  }
  return steps
}

/** Marks a state, and those reached from it without reading anything. */
function enter(steps: readonly number[], states: Uint8Array, first: number): void {
  let state = first
  while (states[state] === 0) {
    states[state] = 1
    const step = steps[state]
    if (step === SEGMENTS) state += 2
    else if (step === STAR || step === GLOBSTAR) state += 1
    else return
  }
}

/** The state after reading a character in a state; -1 for none. */
function after(steps: readonly number[], state: number, char: number): number {
  const step = steps[state] ?? 0
  switch (step) {
    case ANY:
      return char === SLASH ? -1 : state + 1
    case STAR:
      return char === SLASH ? -1 : state
    case GLOBSTAR:
      return state
    case SEGMENTS:
      return char === SLASH ? state : state + 1
    case IN_SEGMENT:
      return char === SLASH ? state - 1 : state
    default:
      return char === step ? state + 1 : -1
  }
}
