// User-Agent against globs over the whole field: `*` any characters, `?` one; case does not matter.
import { rememberLast } from './access-request.ts'
import type { Subject } from './access-request.ts'

/** Browsers inside of apps write some 600; a hundred globs over a whole header block would take milliseconds. */
const READ_MAX = 1024

export const userAgentSubject: Subject<string, string> = {
  read(request) {
    const field = request.header('user-agent')
    if (field !== undefined && field.length > READ_MAX) return null
    return field === '' ? undefined : field
  },
  show: (agent) => `“${agent.length > SHOWN_MAX ? `${agent.slice(0, SHOWN_MAX)}…` : agent}”`,
  absent: 'no User-Agent',
  unreadable: `User-Agent is longer than ${READ_MAX} characters`,
  compile(entries) {
    const globs = entries.map((text) => ({ text, matches: compileGlob(text) }))
    return {
      find(agent) {
        const lowerText = lowerCase(agent)
        for (const glob of globs) if (glob.matches(lowerText)) return glob.text
        return undefined
      },
    }
  },
}

/** Characters; a browser's tells what it is within them. */
const SHOWN_MAX = 40

const lowerCase = rememberLast((field) => field.toLowerCase())

/**
 * Takes text in lower case. The pieces between stars are looked for one after the other, each at its first place:
 * what an attacker sends is read once for each piece, and never again and again.
 */
export function compileGlob(pattern: string): (lowerText: string) => boolean {
  const [first = '', ...others] = pattern.toLowerCase().split(/\*+/)
  const last = others.pop()
  if (last === undefined) return (text) => text.length === first.length && standsAt(text, first, 0)
  const middle = others.map(searchOf)
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !standsAt(text, first, 0) || !standsAt(text, last, end)) return false
    let from = first.length
    for (const search of middle) {
      from = search(text, from)
      if (from < 0 || from > end) return false
    }
    return true
  }
}

/** Where the piece's first place from there ends; -1 when there is none. */
function searchOf(piece: string): (text: string, from: number) => number {
  if (!piece.includes('?')) {
    return (text, from) => {
      const at = text.indexOf(piece, from)
      return at < 0 ? -1 : at + piece.length
    }
  }
  return (text, from) => {
    for (let at = from; at + piece.length <= text.length; at += 1) {
      if (standsAt(text, piece, at)) return at + piece.length
    }
    return -1
  }
}

function standsAt(text: string, piece: string, at: number): boolean {
  if (!piece.includes('?')) return text.startsWith(piece, at)
  for (let i = 0; i < piece.length; i += 1) {
    if (piece[i] !== '?' && piece[i] !== text[at + i]) return false
  }
  return true
}
