// Patterns over pages, for Referer and Origin: `[scheme://]host[:port][/path*]`.
//
// `player.example.com` that host · `*.example.com` those below it · `*` any page. Without a scheme http and https
// are meant (a bare `*` takes any), without a port any port, without a path any path. A path is a prefix and ends
// in `*`; most browsers send no path to other sites (Referrer-Policy), so that hosts are what lists should name.
// In Origin lists `null` is the opaque origin, which no other pattern matches.
import { domainToASCII } from 'node:url'
import type { Matcher } from './access-request.ts'
import { OPAQUE, plainHost } from './web-address.ts'
import type { WebAddress } from './web-address.ts'

export type PageField = 'referer' | 'origin'

interface WebPattern {
  readonly text: string
  /** `*`, `*.suffix`, a plain host; '' for the opaque origin. */
  readonly host: string
  /** null: http and https. */
  readonly scheme: string | null
  readonly port: number | null
  readonly pathPrefix: string
}

/** A host of 253, its scheme, and a path that names a place. */
const CHARACTERS_MAX = 512
const PATTERN = /^(?:([a-z][a-z0-9+.-]{0,31}):\/\/)?([^\s/:?#@[\]]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(\/.*)?$/i

/** What is wrong with a pattern, in words that complete "it …"; undefined when nothing is. */
export function webPatternProblem(text: string, field: PageField): string | undefined {
  const pattern = readPattern(text, field)
  return typeof pattern === 'string' ? pattern : undefined
}

export function compileWebPatterns(
  entries: readonly string[],
  field: PageField,
  key: string,
): Matcher<WebAddress> {
  const byHost = new Map<string, WebPattern[]>()
  for (const [i, text] of entries.entries()) {
    const pattern = readPattern(text, field)
    if (typeof pattern === 'string') throw new Error(`${key}[${i}] ${pattern}`)
    const others = byHost.get(pattern.host)
    if (others === undefined) byHost.set(pattern.host, [pattern])
    else others.push(pattern)
  }
  const findAmong = (host: string, page: WebAddress) => {
    const patterns = byHost.get(host)
    if (patterns === undefined) return undefined
    for (const pattern of patterns) if (matches(pattern, page)) return pattern.text
    return undefined
  }
  return {
    find(page) {
      const exact = findAmong(page.host, page)
      if (exact !== undefined || page === OPAQUE) return exact
      for (let dot = page.host.indexOf('.', 1); dot >= 0; dot = page.host.indexOf('.', dot + 1)) {
        const suffix = findAmong(`*${page.host.slice(dot)}`, page)
        if (suffix !== undefined) return suffix
      }
      return findAmong('*', page)
    },
  }
}

/** The host is the same or below; the rest is compared here. */
function matches(pattern: WebPattern, page: WebAddress): boolean {
  if (pattern.text === '*' || page === OPAQUE) return true
  if (pattern.scheme === null ? !isWeb(page.scheme) : pattern.scheme !== page.scheme) return false
  if (pattern.port !== null && pattern.port !== page.port) return false
  return pattern.pathPrefix === '' || page.path.startsWith(pattern.pathPrefix)
}

function isWeb(scheme: string): boolean {
  return scheme === 'https' || scheme === 'http'
}

/** The pattern, or what is wrong with it. */
function readPattern(text: string, field: PageField): WebPattern | string {
  if (text === 'null') {
    if (field === 'referer') return 'is a value of Origin, not of Referer'
    return { text, host: OPAQUE.host, scheme: '', port: null, pathPrefix: '' }
  }
  if (text.length > CHARACTERS_MAX) return `must be at most ${CHARACTERS_MAX} characters`
  const match = PATTERN.exec(text)
  if (match === null) return 'must be like player.example.com, *.example.com or https://tv.example.com/app/*'
  const [, schemeText, hostText = '', portText, path = ''] = match
  const host = patternHost(hostText)
  if (host === undefined) return 'must name a host, *.name for those below it, or *'
  const scheme = schemeText?.toLowerCase() ?? null
  const port = portText === undefined ? null : Number(portText)
  if ((port ?? 0) > 65_535) return 'must have a port up to 65535'
  if (path !== '' && field === 'origin') return 'must not have a path: Origin carries none'
  if (path !== '' && (path.indexOf('*') !== path.length - 1 || /[^\x21-\x7e]|[?#]/.test(path)))
    return 'must end in * where it has a path, with no other *, ? or # in it'
  return { text, host, scheme, port, pathPrefix: path.slice(0, -1) }
}

const HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/** Names in other scripts become punycode, which is what browsers send. */
function patternHost(text: string): string | undefined {
  if (text === '*' || text.startsWith('[')) return plainHost(text)
  const below = text.startsWith('*.') ? '*.' : ''
  const name = text.slice(below.length)
  const plain = plainHost(HOST.test(name.toLowerCase()) ? name : domainToASCII(name))
  return plain !== undefined && HOST.test(plain) ? below + plain : undefined
}
