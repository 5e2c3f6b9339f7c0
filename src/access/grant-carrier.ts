// Where a grant stands in a request: `?~g=…` or `&~g=…`, a path segment `/~~…/` at the front, or a cookie. Taken off
// the target before anything else sees it.
import { hash } from 'node:crypto'

/** Query parameter. */
export const GRANT_PARAMETER = '~g'
/** In front of the grant, as the first segment of a path inside the property. */
export const GRANT_SEGMENT = '/~~'
/** Longest grant: beyond it, none. */
const GRANT_CHARS_MAX = 64

/** Some clients escape the `~`. */
const IN_QUERY = /[?&](?:~|%7[Ee])g=/
const PARAMETER = /^(?:~|%7[Ee])g=(.*)$/

/** What the names of a property's cookies begin with. */
export function grantCookiePrefix(propertyId: string): string {
  return `edgeward-${propertyId}~`
}

/** One name for each directory: ffmpeg keeps one cookie of a name, whatever its path. */
export function grantCookieName(propertyId: string, directory: string): string {
  return grantCookiePrefix(propertyId) + hash('sha256', directory, 'base64url').slice(0, 6)
}

export interface CarriedGrant {
  /** null: there is none. '' when it is there and is none. */
  readonly text: string | null
  readonly by: 'path' | 'query' | 'cookie' | null
  /** Without it. */
  readonly target: string
}

/** `target` is inside the property. Cheap where there is none. */
export function takeGrant(target: string): CarriedGrant {
  let found: CarriedGrant = { text: null, by: null, target }
  if (target.startsWith(GRANT_SEGMENT)) {
    const slash = target.indexOf('/', GRANT_SEGMENT.length)
    const end = slash < 0 ? target.length : slash
    const rest = slash < 0 ? '/' : target.slice(slash)
    found = { text: bounded(target.slice(GRANT_SEGMENT.length, end)), by: 'path', target: rest }
  }
  const question = found.target.indexOf('?')
  if (question < 0 || !IN_QUERY.test(found.target.slice(question))) return found
  return takeFromQuery(found, question)
}

function takeFromQuery(found: CarriedGrant, question: number): CarriedGrant {
  const kept: string[] = []
  let { text, by } = found
  for (const parameter of found.target.slice(question + 1).split('&')) {
    const [, value] = PARAMETER.exec(parameter) ?? []
    if (value === undefined) {
      kept.push(parameter)
      continue
    }
    // Of several the first counts: a player that resolves a URI against one that has it too repeats it.
    text ??= bounded(value)
    by ??= 'query'
  }
  const path = found.target.slice(0, question)
  return { text, by, target: kept.length === 0 ? path : `${path}?${kept.join('&')}` }
}

function bounded(text: string): string {
  return text.length > GRANT_CHARS_MAX ? '' : text
}
