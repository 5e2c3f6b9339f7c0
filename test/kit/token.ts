// A request as a token scheme sees it, and a scheme's whole verdict on it: taken, authenticated, judged.
import { judgeClaims } from '../../src/token/token.ts'
import type { TokenQuery, TokenRefusal, TokenScheme } from '../../src/token/token.ts'

export interface TokenRequest {
  nowMs: number
  address?: string
  host?: string
  scheme?: 'http' | 'https'
  /** Lower-case name → value. */
  headers?: Readonly<Record<string, string>>
}

export function tokenQuery(target: string, request: TokenRequest): TokenQuery {
  const { nowMs, address = '192.0.2.7', host = 'cdn.example.com', scheme = 'https', headers = {} } = request
  return { target, nowMs, address, host, scheme, method: 'GET', header: (name) => headers[name] }
}

/** `admitted`, or the refusal. Of schemes that answer at once. */
export function tokenVerdict(
  scheme: TokenScheme,
  target: string,
  request: TokenRequest,
  skewMs = 0,
): 'admitted' | TokenRefusal {
  const query = tokenQuery(target, request)
  const taken = scheme.take(query)
  if (taken.token === null) return 'token_missing'
  const found = scheme.authenticate(taken.token, taken, query)
  if (found instanceof Promise) throw new TypeError(`${scheme.name} does not answer at once`)
  return typeof found === 'string' ? found : (judgeClaims(found, taken.target, query, skewMs) ?? 'admitted')
}

/** The text with each of its characters in turn replaced by another: one text a position. */
export function eachCharacterChanged(text: string): string[] {
  return text.split('').map((character, i) => {
    const other = character === '0' ? '1' : character === 'a' ? 'b' : /\d/.test(character) ? '0' : 'a'
    return text.slice(0, i) + other + text.slice(i + 1)
  })
}
