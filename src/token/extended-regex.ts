// POSIX extended regular expressions (IEEE 1003.1 §9.4, in the POSIX locale) for tokens that carry one. Run as an
// automaton that reads each character once: a text of n characters costs at most n × (steps of the expression), so
// that no expression is slow. What POSIX leaves undefined is refused instead of guessed at.

export interface ExtendedRegex {
  /** `whole`: all of the text must match, else any part of it. */
  matches(text: string, whole: boolean): boolean
}

/** 'malformed': no such expression, or beyond a bound. 'unsupported': `\d`, `\1`, collating elements. */
export type RegexProblem = 'malformed' | 'unsupported'

/** Longest expression. */
export const REGEX_CHARS_MAX = 1024
/** Steps after counted repetitions are written out. */
const STEPS_MAX = 4096
const DEPTH_MAX = 32
/** RE_DUP_MAX. */
const REPEAT_MAX = 255

type Node =
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number | null }

class Refused extends Error {
  readonly problem: RegexProblem
  constructor(problem: RegexProblem) {
    super(problem)
    this.problem = problem
  }
}

export function compileExtendedRegex(text: string): ExtendedRegex | RegexProblem {
  if (text.length > REGEX_CHARS_MAX) return 'malformed'
  try {
    const reader = { text, at: 0 }
    const node = readAlternatives(reader, 0)
    if (reader.at < text.length) return 'malformed'
    return automaton(node)
  } catch (error) {
    if (error instanceof Refused) return error.problem
    throw error
  }
}

// Reading.

interface Reader {
  readonly text: string
  at: number
}

function readAlternatives(reader: Reader, depth: number): Node {
  if (depth > DEPTH_MAX) throw new Refused('malformed')
  const nodes = [readBranch(reader, depth)]
  while (reader.text[reader.at] === '|') {
    reader.at += 1
    nodes.push(readBranch(reader, depth))
  }
  return { kind: 'any', nodes }
}

function readBranch(reader: Reader, depth: number): Node {
  const nodes: Node[] = []
  while (reader.at < reader.text.length && !'|)'.includes(reader.text.charAt(reader.at)))
    nodes.push(readRepeated(reader, depth))
  if (nodes.length === 0) throw new Refused('malformed')
  return { kind: 'all', nodes }
}

function readRepeated(reader: Reader, depth: number): Node {
  const node = readOne(reader, depth)
  const range = readRange(reader)
  if (range === null) return node
  // `a+?` and `a**` are undefined, and mean something else elsewhere.
  if (readRange(reader) !== null || node.kind === 'start' || node.kind === 'end')
    throw new Refused('malformed')
  return { kind: 'repeat', node, min: range[0], max: range[1] }
}

function readRange(reader: Reader): [min: number, max: number | null] | null {
  const sign = reader.text[reader.at]
  if (sign === '*' || sign === '+' || sign === '?') {
    reader.at += 1
    return sign === '*' ? [0, null] : sign === '+' ? [1, null] : [0, 1]
  }
  if (sign !== '{') return null
  const bounds = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(reader.text.slice(reader.at, reader.at + 9))
  if (bounds === null) throw new Refused('malformed')
  reader.at += bounds[0].length
  const min = Number(bounds[1])
  const max = bounds[2] === undefined ? min : bounds[3] === undefined ? null : Number(bounds[3])
  if (min > REPEAT_MAX || (max !== null && (max < min || max > REPEAT_MAX))) throw new Refused('malformed')
  return [min, max]
}

function readOne(reader: Reader, depth: number): Node {
  const character = reader.text.charAt(reader.at)
  reader.at += 1
  if (character === '(') {
    const node = readAlternatives(reader, depth + 1)
    if (reader.text[reader.at] !== ')') throw new Refused('malformed')
    reader.at += 1
    return node
  }
  if (character === '[') return { kind: 'set', set: readBracket(reader) }
  if (character === '^') return { kind: 'start' }
  if (character === '$') return { kind: 'end' }
  if (character === '.') return { kind: 'set', set: new Uint8Array(SET_SIZE).fill(1) }
  if (character === '\\') return { kind: 'set', set: setOf([readEscaped(reader)]) }
  if ('*+?{'.includes(character)) throw new Refused('malformed')
  return { kind: 'set', set: setOf([codeOf(character)]) }
}

/** Only of punctuation: an escaped letter or digit is undefined, and a class or a back-reference elsewhere. */
function readEscaped(reader: Reader): number {
  const character = reader.text.charAt(reader.at)
  reader.at += 1
  if (character === '') throw new Refused('malformed')
  if (/[A-Za-z0-9]/.test(character)) throw new Refused('unsupported')
  return codeOf(character)
}

// Bracket expressions (§9.3.5): `\` is a character like others in them.

/** One place for each ASCII character, and the last for all others. */
const SET_SIZE = 129

const CLASSES: Readonly<Record<string, RegExp>> = {
  alpha: /[A-Za-z]/,
  digit: /[0-9]/,
  alnum: /[A-Za-z0-9]/,
  upper: /[A-Z]/,
  lower: /[a-z]/,
  xdigit: /[0-9A-Fa-f]/,
  blank: /[ \t]/,
  space: /[ \t-\r]/,
  punct: /[!-/:-@[-`{-~]/,
  graph: /[!-~]/,
  print: /[ -~]/,
  // oxlint-disable-next-line no-control-regex -- the class is the control characters
  cntrl: /[\0-\x1f\x7f]/,
}

function readBracket(reader: Reader): Uint8Array {
  const negated = reader.text[reader.at] === '^'
  if (negated) reader.at += 1
  const set = new Uint8Array(SET_SIZE)
  for (let first = true; first || reader.text[reader.at] !== ']'; first = false) {
    if (reader.at >= reader.text.length) throw new Refused('malformed')
    readBracketItem(reader, set)
  }
  reader.at += 1
  return negated ? set.map((member) => 1 - member) : set
}

function readBracketItem(reader: Reader, set: Uint8Array): void {
  const { text } = reader
  if (text[reader.at] === '[' && '.=:'.includes(text.charAt(reader.at + 1) || ' ')) {
    const named = /^\[:([a-z]+):\]/.exec(text.slice(reader.at, reader.at + 12))
    const members = named?.[1] === undefined ? undefined : CLASSES[named[1]]
    if (named === null || members === undefined) throw new Refused('unsupported')
    reader.at += named[0].length
    for (let code = 0; code < SET_SIZE - 1; code += 1)
      if (members.test(String.fromCharCode(code))) set[code] = 1
    return
  }
  const from = codeOf(text.charAt(reader.at))
  let to = from
  reader.at += 1
  if (text[reader.at] === '-' && text.charAt(reader.at + 1) !== ']') {
    to = codeOf(text.charAt(reader.at + 1))
    if (to < from || text[reader.at + 1] === '[') throw new Refused('malformed')
    reader.at += 2
  }
  set.fill(1, from, to + 1)
}

/** Of an ASCII character; a URI has no others. */
function codeOf(character: string): number {
  const code = character.charCodeAt(0)
  if (Number.isNaN(code)) throw new Refused('malformed')
  if (code >= SET_SIZE - 1) throw new Refused('unsupported')
  return code
}

function setOf(codes: readonly number[]): Uint8Array {
  const set = new Uint8Array(SET_SIZE)
  for (const code of codes) set[code] = 1
  return set
}

// Running.

type Step =
  | { readonly kind: 'read'; readonly set: Uint8Array }
  | { readonly kind: 'start' | 'end' }
  /** Goes on at each of these, counted from the first step. */
  | { readonly kind: 'go'; readonly to: number[] }

function emit(node: Node, steps: Step[]): void {
  if (steps.length > STEPS_MAX) throw new Refused('malformed')
  if (node.kind === 'set') steps.push({ kind: 'read', set: node.set })
  else if (node.kind === 'repeat') emitRepeat(node.node, node.min, node.max, steps)
  else if (node.kind === 'any') emitAny(node.nodes, steps)
  else if (node.kind === 'all') for (const part of node.nodes) emit(part, steps)
  else steps.push({ kind: node.kind })
}

function emitAny(nodes: readonly Node[], steps: Step[]): void {
  const only = nodes[0]
  if (nodes.length === 1 && only !== undefined) return emit(only, steps)
  const fork: number[] = []
  const join: number[] = []
  steps.push({ kind: 'go', to: fork })
  for (const node of nodes) {
    fork.push(steps.length)
    emit(node, steps)
    steps.push({ kind: 'go', to: join })
  }
  join.push(steps.length)
}

function emitRepeat(node: Node, min: number, max: number | null, steps: Step[]): void {
  for (let i = 0; i < min; i += 1) emit(node, steps)
  const forks: number[][] = []
  for (let i = min; i < (max ?? min + 1); i += 1) {
    const at = steps.length
    const fork = [at + 1]
    forks.push(fork)
    steps.push({ kind: 'go', to: fork })
    emit(node, steps)
    if (max === null) steps.push({ kind: 'go', to: [at] })
  }
  for (const fork of forks) fork.push(steps.length)
}

function automaton(root: Node): ExtendedRegex {
  const steps: Step[] = []
  emit(root, steps)
  if (steps.length > STEPS_MAX) throw new Refused('malformed')
  const end = steps.length
  // Reused between calls: matching is synchronous. `seen` holds the position at which a step was last entered.
  const seen = new Int32Array(end + 1)
  let now: number[] = []
  let next: number[] = []
  const pending: number[] = []

  /** Adds what can be reached from `step` without reading; true when the end can. */
  function enter(step: number, at: number, length: number, into: number[]): boolean {
    let ended = false
    pending.push(step)
    for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
      if (seen[from] === at) continue
      seen[from] = at
      const what = steps[from]
      if (what === undefined) ended = true
      else if (what.kind === 'read') into.push(from)
      else if (what.kind === 'go') pending.push(...what.to)
      else if (at === (what.kind === 'start' ? 0 : length)) pending.push(from + 1)
    }
    return ended
  }

  return {
    matches(text, whole) {
      seen.fill(-1)
      now = []
      let ended = enter(0, 0, text.length, now)
      for (let at = 0; at < text.length; at += 1) {
        if (ended && !whole) return true
        if (now.length === 0 && whole) return false
        const code = Math.min(text.charCodeAt(at), SET_SIZE - 1)
        next = []
        ended = false
        for (const from of now) {
          const what = steps[from]
          if (what?.kind === 'read' && what.set[code] === 1 && enter(from + 1, at + 1, text.length, next))
            ended = true
        }
        if (!whole && enter(0, at + 1, text.length, next)) ended = true
        ;[now, next] = [next, now]
      }
      return ended
    },
  }
}
