// Cookies: the field of a request (RFC 6265 §4.2), and those that replies set.

/** All of them: two cookies of one name with different paths arrive together, the longer path first (RFC 6265 §5.4). */
export function cookiesOf(header: string | undefined, name: string): string[] {
  if (header === undefined) return []
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    return equals >= 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : []
  })
}

/** The values of all cookies whose names begin so. */
export function cookiesWithPrefix(header: string | undefined, prefix: string): string[] {
  if (header === undefined || !header.includes(prefix)) return []
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    return equals >= 0 && pair.trimStart().startsWith(prefix) ? [pair.slice(equals + 1).trim()] : []
  })
}

export interface CookieAttributes {
  readonly path: string
  readonly maxAgeS: number
  readonly secure: boolean
  readonly sameSite: 'none' | 'lax' | 'strict'
}

/** The value of Set-Cookie; no script reads it. The caller vouches that the texts are clean. */
export function setCookie(name: string, value: string, attributes: CookieAttributes): string {
  const { path, maxAgeS, secure, sameSite } = attributes
  const text = `${name}=${value}; Path=${path}; Max-Age=${maxAgeS}; HttpOnly${secure ? '; Secure' : ''}`
  // SameSite=None is taken with Secure only.
  return secure || sameSite !== 'none' ? `${text}; SameSite=${SAME_SITE[sameSite]}` : text
}

const SAME_SITE = { none: 'None', lax: 'Lax', strict: 'Strict' } as const
