// Request fields without the tokens that they may hold, for the way upstream: an origin has no business with them.
import type { TokenScheme } from '../token/token.ts'
import { grantCookiePrefix } from './grant-carrier.ts'

/** The value that goes on, of a field by its lower-case name; null: the field does not. */
export type WithoutTokens = (lowerName: string, value: string) => string | null

export function withoutTokens(propertyId: string, { carriers }: TokenScheme): WithoutTokens {
  const fields = new Set(carriers.fields)
  const names = new Set(carriers.cookies)
  const prefix = grantCookiePrefix(propertyId)
  const isToken = (pair: string) => {
    const name = pair.split('=', 1)[0]?.trim() ?? ''
    return names.has(name) || name.startsWith(prefix)
  }
  return (lowerName, value) => {
    if (fields.has(lowerName)) return null
    if (lowerName === 'cookie') {
      const kept = value.split(';').filter((pair) => !isToken(pair))
      return kept.length === 0 ? null : kept.join(';').trim()
    }
    // A player that follows a playlist may name it, with a token in its query or its path.
    return lowerName === 'referer' ? (/^[a-z][a-z0-9+.-]*:\/\/[^/?#@]*/i.exec(value)?.[0] ?? null) : value
  }
}
