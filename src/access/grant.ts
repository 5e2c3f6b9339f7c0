// Grants: Edgeward's own short tokens, which carry what a playlist was granted to all that it names. A grant says until
// when, for which session, and for which part of the paths; every edge and scheduler that holds the property's keys
// can make and check one. It stands in the query, the path or a cookie (docs/decisions/0009).
//
//   <end, seconds, base 36>.<scope>.<session>[.a].<MAC>
//
// The scope is a count of directories or `x`, the path itself: the MAC covers that much of the path that is asked for,
// so that the path need not be written again. `.a`: it also covers the client's address.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { TokenRefusal } from '../token/token.ts'

export interface Grant {
  /** Eleven characters of base64url. */
  readonly session: string
  /** Milliseconds since the epoch, whole seconds. */
  readonly expiresMs: number
  /** It holds for one client address only. */
  readonly bound: boolean
}

/** What a grant is for: `/a/b/` and all below it, or one path. Normalised. */
export type GrantScope = { readonly directory: string } | { readonly exact: string }

const FORM = /^([0-9a-z]{1,11})\.(x|[1-9][0-9]{0,2})\.([A-Za-z0-9_-]{11})(\.a)?\.([A-Za-z0-9_-]{22})$/
/** Of the 32 bytes of HMAC-SHA256. */
const MAC_BYTES = 16
export const SESSION_BYTES = 8

export class GrantKeys {
  private readonly propertyId: string
  private readonly keys: readonly Buffer[]

  /** The first key signs, each of them verifies. */
  constructor(propertyId: string, secrets: readonly string[]) {
    this.propertyId = propertyId
    this.keys = secrets.map((secret) =>
      Buffer.from(hkdfSync('sha256', secret, '', `edgeward grant ${propertyId}`, 32)),
    )
  }

  get none(): boolean {
    return this.keys.length === 0
  }

  sign(grant: Grant, scope: GrantScope, address: string): string {
    const [key] = this.keys
    if (key === undefined) throw new Error('grants need a key')
    if ('directory' in scope && isTop(scope.directory)) throw new Error('no grant is for a whole property')
    const text = 'exact' in scope ? 'x' : String(depthOf(scope.directory))
    const covered = 'exact' in scope ? scope.exact : scope.directory
    const head = `${Math.floor(grant.expiresMs / 1000).toString(36)}.${text}.${grant.session}${grant.bound ? '.a' : ''}`
    return `${head}.${this.mac(key, head, covered, grant.bound ? address : '').toString('base64url')}`
  }

  /** `path` is normalised. Whether it is still time is not asked here. */
  open(
    text: string,
    path: string,
    address: string,
  ): (Grant & { scope: GrantScope }) | Extract<TokenRefusal, 'token_malformed' | 'token_wrong'> {
    const match = FORM.exec(text)
    if (match === null) return 'token_malformed'
    const [, end = '', scope = '', session = '', bound, mac = ''] = match
    const covered = scope === 'x' ? path : directoryOf(path, Number(scope))
    if (covered === undefined) return 'token_wrong'
    const head = text.slice(0, -mac.length - 1)
    const given = Buffer.from(mac, 'base64url')
    let right = false
    for (const key of this.keys) {
      const expected = this.mac(key, head, covered, bound === undefined ? '' : address)
      if (given.length === MAC_BYTES && timingSafeEqual(expected, given)) right = true
    }
    if (!right) return 'token_wrong'
    return {
      session,
      expiresMs: Number.parseInt(end, 36) * 1000,
      bound: bound !== undefined,
      scope: scope === 'x' ? { exact: covered } : { directory: covered },
    }
  }

  private mac(key: Buffer, head: string, covered: string, address: string): Buffer {
    const text = `${this.propertyId}\n${head}\n${address}\n${covered}`
    return createHmac('sha256', key).update(text, 'latin1').digest().subarray(0, MAC_BYTES)
  }
}

/** The scope of what a playlist names beside itself and below: its directory; at the top, where that is all, the path. */
export function scopeOf(path: string): GrantScope {
  const directory = path.slice(0, path.lastIndexOf('/') + 1)
  return isTop(directory) ? { exact: path } : { directory }
}

/** What lies at the top has no directory of its own that a path or a cookie could stand for: only its URIs carry. */
export function isAtTop(path: string): boolean {
  return 'exact' in scopeOf(path)
}

/** `//` is the top as well, to origins that merge slashes. */
function isTop(directory: string): boolean {
  return /^\/+$/.test(directory)
}

/** `/a/b/` has two. */
export function depthOf(directory: string): number {
  let depth = -1
  for (let at = directory.indexOf('/'); at >= 0; at = directory.indexOf('/', at + 1)) depth++
  return depth
}

/** The first `depth` directories of a path; undefined when it has fewer. */
export function directoryOf(path: string, depth: number): string | undefined {
  let at = 0
  for (let i = 0; i < depth; i++) {
    at = path.indexOf('/', at + 1)
    if (at < 0) return undefined
  }
  return path.slice(0, at + 1)
}
