// The URI that a request asks for, as tokens that hold URIs see it: whole, and normalised (RFC 3986 §6.2.2, §6.2.3,
// RFC 9110 §4.2.3). A client that was redirected asks an edge by the edge's own name; then it is judged by the names
// of the property too, for which its token was made.
import { normalisePath } from '../http/normal-path.ts'
import type { TokenQuery } from './token.ts'

export interface RequestUri {
  readonly scheme: string
  /** Lower case, without port; '' when it is not known. */
  readonly host: string
  /** '' for the default one of the scheme. */
  readonly port: string
  readonly path: string
  /** null: there is no `?`. */
  readonly query: string | null
}

const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[^:@/?#\s]*)(?::(\d{0,5}))?$/
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

/** `target` without token. null: not well formed. */
export function requestUri(scheme: string, host: string, target: string): RequestUri | null {
  const authority = AUTHORITY.exec(host)
  const question = target.indexOf('?')
  const path = normalisePath(question < 0 ? target : target.slice(0, question))
  const query = question < 0 ? null : normaliseQuery(target.slice(question + 1))
  if (authority === null || path === null || query === undefined) return null
  const port = authority[2] ?? ''
  return {
    scheme,
    host: (authority[1] ?? '').toLowerCase(),
    port: port === DEFAULT_PORTS[scheme] ? '' : port,
    path,
    query,
  }
}

export function uriText(uri: RequestUri): string {
  const port = uri.port === '' ? '' : `:${uri.port}`
  return `${uri.scheme}://${uri.host}${port}${uri.path}${uri.query === null ? '' : `?${uri.query}`}`
}

/** Asks for the URI as it came first, then by each name of the property, with either scheme. */
export function someUri(
  target: string,
  query: TokenQuery,
  hosts: readonly string[],
  admits: (uri: RequestUri) => boolean,
): boolean {
  const uri = requestUri(query.scheme, query.host, target)
  if (uri === null) return false
  if (admits(uri)) return true
  return hosts.some(
    (host) =>
      admits({ ...uri, scheme: 'https', host, port: '' }) ||
      admits({ ...uri, scheme: 'http', host, port: '' }),
  )
}

/** The names among a property's hosts: patterns name nothing. */
export function namesAmong(hosts: readonly string[]): string[] {
  return hosts.filter((host) => !host.includes('*')).map((host) => host.toLowerCase())
}

function normaliseQuery(query: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(query)) return undefined
  return query.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
  })
}
