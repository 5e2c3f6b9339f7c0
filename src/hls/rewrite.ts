// Rewrites the URIs of a playlist so that a player stays with the property and the edge it was sent to. Only URIs
// change, every other byte leaves as it came; what is rewritten once is not changed again. Runs at delivery.
import { eachAttribute, eachLine, tagEnd } from './lines.ts'
import { Variables } from './variables.ts'

export interface RewriteRules {
  /** `/~shows` when the playlist was asked for through the prefix, '' when by host. */
  prefix: string
  /** `/~shows` in either case. */
  propertyPrefix: string
  /** An absolute URI's path (with query) inside the property; undefined when it leads elsewhere. */
  ownPath(uri: string): string | undefined
  /** A root-relative URI's path inside the property where that differs: the origin's base path is taken off. */
  withoutBase(path: string): string | undefined
}

/** Tags whose attributes hold URIs (RFC 8216bis §4.4, interstitials of its appendix D). */
const URI_ATTRIBUTES: ReadonlyMap<string, readonly string[]> = new Map([
  ['#EXT-X-KEY', ['URI']],
  ['#EXT-X-MAP', ['URI']],
  ['#EXT-X-PART', ['URI']],
  ['#EXT-X-PRELOAD-HINT', ['URI']],
  ['#EXT-X-RENDITION-REPORT', ['URI']],
  ['#EXT-X-DATERANGE', ['X-ASSET-URI', 'X-ASSET-LIST']],
  ['#EXT-X-MEDIA', ['URI']],
  ['#EXT-X-I-FRAME-STREAM-INF', ['URI']],
  ['#EXT-X-IMAGE-STREAM-INF', ['URI']],
  ['#EXT-X-SESSION-DATA', ['URI']],
  ['#EXT-X-SESSION-KEY', ['URI']],
  ['#EXT-X-CONTENT-STEERING', ['SERVER-URI']],
])

const HASH = 0x23
const SLASH = 0x2f
const UPPER_H = 0x48
const LOWER_H = 0x68
const BRACE = 0x7b

/**
 * Anything but a path relative to the playlist: `/`, a scheme, or a variable at the start of a line or a quoted
 * value. Most playlists hold none, and one search says so.
 */
const MAY_LEAD_AWAY = /(?:^|[\n"=])[ \t]*(?:\/|https?:|\{\$)/i

/** Gives a URI what it carries on; undefined: nothing. Is called after the rules. */
export type CarryInto = (uri: string) => string | undefined

/** `text` is latin1 of a playlist's bytes. Gives the same string when nothing changes. */
export function rewritePlaylist(text: string, rules: RewriteRules, carryInto?: CarryInto): string {
  if (carryInto === undefined && !MAY_LEAD_AWAY.test(text)) return text
  const variables = new Variables()
  let written = ''
  let copied = 0
  const isPlaced = carryInto === undefined ? mayLeadAway : () => true
  const place = (uri: string, start: number) => {
    const own = mayLeadAway(uri.charCodeAt(0)) ? rewriteUri(uri, rules, variables) : undefined
    // Where a variable leads is known here, or to the player alone.
    const replacement = carryInto?.(own ?? variables.replace(uri)) ?? own
    if (replacement === undefined) return
    written += text.slice(copied, start) + replacement
    copied = start + uri.length
  }
  const complete = eachLine(text, (start, end) => {
    if (text.charCodeAt(start) !== HASH) {
      if (isPlaced(text.charCodeAt(start))) place(text.slice(start, end), start)
      return
    }
    if (!text.startsWith('EXT-X-', start + 1)) return
    const line = text.slice(start, end)
    const colon = tagEnd(line)
    const tag = line.slice(0, colon)
    const names = URI_ATTRIBUTES.get(tag)
    if (names !== undefined) {
      eachAttribute(line, colon + 1, (name, from, to) => {
        if (isPlaced(line.charCodeAt(from)) && names.includes(name)) place(line.slice(from, to), start + from)
      })
    } else if (tag === '#EXT-X-DEFINE') variables.defineFrom(line, colon + 1)
  })
  // More lines than a playlist has: not one to be half rewritten.
  return copied === 0 || !complete ? text : written + text.slice(copied)
}

function mayLeadAway(first: number): boolean {
  return first === SLASH || first === LOWER_H || first === UPPER_H || first === BRACE
}

/** undefined: as it is. */
export function rewriteUri(uri: string, rules: RewriteRules, variables: Variables): string | undefined {
  switch (uri.charCodeAt(0)) {
    case SLASH:
      return uri.charCodeAt(1) === SLASH ? fromAbsolute(`http:${uri}`, rules) : fromRoot(uri, rules)
    case UPPER_H:
    case LOWER_H:
      return fromAbsolute(uri, rules)
    case BRACE: {
      // Where it leads is in the variable, if this playlist itself says what that holds.
      const replaced = variables.replace(uri)
      return replaced === uri || replaced.startsWith('{')
        ? undefined
        : rewriteUri(replaced, rules, NO_VARIABLES)
    }
    default:
      return undefined
  }
}

function fromRoot(uri: string, rules: RewriteRules): string | undefined {
  const { propertyPrefix } = rules
  // Done already, here or by the edge that this one fills from.
  if (isPrefixed(uri, propertyPrefix)) return undefined
  const inside = rules.withoutBase(uri)
  if (inside !== undefined) return propertyPrefix + inside
  return rules.prefix === '' ? undefined : rules.prefix + uri
}

function fromAbsolute(uri: string, rules: RewriteRules): string | undefined {
  const path = rules.ownPath(uri)
  if (path === undefined || isPrefixed(path, rules.propertyPrefix)) return path
  if (rules.prefix !== '') return rules.prefix + path
  // Alone, a path with two slashes in front would name a host, and others would be taken for what they are not.
  const ambiguous = path.startsWith('//') || path.startsWith('/~') || rules.withoutBase(path) !== undefined
  return ambiguous ? rules.propertyPrefix + path : path
}

function isPrefixed(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && path.charCodeAt(prefix.length) === SLASH
}

const NO_VARIABLES = new Variables()
