// A playlist whose URIs carry a grant, made once for all clients: its text with the places where each client's own
// grant goes. What one client is sent is the pieces joined, so that the shared playlist is read and cached once.
import { GRANT_PARAMETER, GRANT_SEGMENT } from '../../src/access/grant-carrier.ts'
import { scopeOf } from '../../src/access/grant.ts'
import type { GrantScope } from '../../src/access/grant.ts'
import { announceSteering } from '../../src/hls/announce.ts'
import { rewritePlaylist } from '../../src/hls/rewrite.ts'
import type { CarryInto, RewriteRules } from '../../src/hls/rewrite.ts'
import { resolveUri } from './resolve.ts'
import type { ResolveContext } from './resolve.ts'

/** How the grant reaches what the playlist names. */
export interface Carrying {
  readonly by: 'query' | 'path' | 'cookie'
  readonly context: ResolveContext
}

export interface CarriedTemplate {
  /** Some URI carries a grant. */
  readonly isFilledIn: boolean
  /** Its size in characters. */
  readonly chars: number
  /** For cookies: parts of the paths that the playlist and its URIs lead to, none within another; its own first. */
  readonly scopes: readonly GrantScope[]
  /** The playlist's text for one client; `grantFor` is called once for each scope. */
  fill(grantFor: (scope: GrantScope) => string): Buffer
}

/** Scopes of one playlist, each a MAC for each client (7 µs); what leads to further ones carries nothing. */
const SCOPES_MAX = 5000
/** Of all their names. */
const SCOPE_CHARS_MAX = 4 * 2 ** 20
const MARK = '\0'

/** `text` is latin1 of the playlist's bytes; `steeringLine` carries no grant. null: it cannot be one. */
export function carriedTemplate(
  text: string,
  rules: RewriteRules,
  carrying: Carrying,
  steeringLine?: string,
): CarriedTemplate | null {
  if (text.includes(MARK)) return null
  const scopes = new ScopeList()
  const placed = rewritePlaylist(text, rules, carryInto(carrying, rules, scopes))
  const marked = steeringLine === undefined ? placed : announceSteering(placed, steeringLine)
  // MARK, then the number of a scope as one character, counted from 1: 0 is MARK.
  const pieces = marked.split(MARK)
  const places = pieces.map((piece, i) => (i === 0 ? 0 : piece.charCodeAt(0) - 1))
  const texts = pieces.map((piece, i) => (i === 0 ? piece : piece.slice(1)))
  return {
    isFilledIn: pieces.length > 1,
    chars: marked.length + scopes.chars,
    scopes: carrying.by === 'cookie' ? outermost(playlistScope(carrying), scopes.all) : [],
    fill(grantFor) {
      const grants: (string | undefined)[] = Array.from({ length: scopes.all.length })
      let filled = texts[0] ?? ''
      for (let i = 1; i < texts.length; i++) {
        const place = places[i] ?? 0
        const scope = scopes.all[place]
        if (scope !== undefined) filled += grants[place] ??= grantFor(scope)
        filled += texts[i] ?? ''
      }
      return Buffer.from(filled, 'latin1')
    },
  }
}

function playlistScope({ context: { playlistPath } }: Carrying): GrantScope {
  const question = playlistPath.indexOf('?')
  return scopeOf(question < 0 ? playlistPath : playlistPath.slice(0, question))
}

/** Sorted, a directory stands in front of those within it. */
function outermost(own: GrantScope, others: readonly GrantScope[]): GrantScope[] {
  const found: GrantScope[] = []
  let last: string | undefined
  for (const directory of [own, ...others].flatMap(directoriesOf).toSorted()) {
    if (last !== undefined && directory.startsWith(last)) continue
    last = directory
    if ('directory' in own && own.directory.startsWith(directory)) found.unshift({ directory })
    else found.push({ directory })
  }
  // What is at the top is in no directory.
  return [...found, ...others.filter((scope) => 'exact' in scope)]
}

function directoriesOf(scope: GrantScope): string[] {
  return 'exact' in scope ? [] : [scope.directory]
}

function nameOf(scope: GrantScope): string {
  return 'exact' in scope ? scope.exact : scope.directory
}

class ScopeList {
  readonly all: GrantScope[] = []
  /** Of their names: paths that may be longer than the URIs that lead there. */
  chars = 0
  private readonly numbers = new Map<string, number>()

  /** undefined: too many. */
  numberOf(scope: GrantScope): number | undefined {
    const name = nameOf(scope)
    const known = this.numbers.get(name)
    if (known !== undefined || this.all.length >= SCOPES_MAX || this.chars > SCOPE_CHARS_MAX) return known
    this.numbers.set(name, this.all.length)
    this.chars += name.length
    return this.all.push(scope) - 1
  }
}

function carryInto({ by, context }: Carrying, rules: RewriteRules, scopes: ScopeList): CarryInto {
  return (uri) => {
    const resolved = resolveUri(uri, context)
    if (resolved === null) return undefined
    const number = scopes.numberOf(scopeOf(resolved.path))
    if (number === undefined || by === 'cookie') return undefined
    const mark = MARK + String.fromCharCode(number + 1)
    if (by === 'query') return intoQuery(uri, mark)
    // Relative to the playlist and below it: the player keeps the grant that is in the playlist's own path.
    return staysBelow(uri) ? undefined : `${rules.prefix}${GRANT_SEGMENT}${mark}${resolved.upstreamPath}`
  }
}

function intoQuery(uri: string, mark: string): string {
  const hash = uri.indexOf('#')
  const end = hash < 0 ? uri.length : hash
  const question = uri.indexOf('?')
  const joint = question < 0 || question > end ? '?' : '&'
  return `${uri.slice(0, end)}${joint}${GRANT_PARAMETER}=${mark}${uri.slice(end)}`
}

function staysBelow(uri: string): boolean {
  return !/^(?:\/|[A-Za-z][A-Za-z0-9+.-]*:)/.test(uri) && !uri.includes('..')
}
