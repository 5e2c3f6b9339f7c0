// What a client was granted, on its way to all that a playlist names: into the URIs or into cookies of this reply.
import { CarriedGrants } from '../../src/access/carried-grants.ts'
import { grantCookieName } from '../../src/access/grant-carrier.ts'
import { isAtTop } from '../../src/access/grant.ts'
import type { GrantScope } from '../../src/access/grant.ts'
import { setCookie } from '../../src/http/cookies.ts'
import { isPrefixed } from '../../src/property-index.ts'
import { clientTextOf } from '../access/client.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { Exchange } from '../exchange.ts'
import type { CarriedTemplate, Carrying } from './carried-template.ts'
import type { PlaylistForm } from './playlist-forms.ts'
import { isPlaylistName } from './playlist-times.ts'

/** Cookies that one reply sets: one for the playlist's own directory, others for where its URIs lead. */
const COOKIES_MAX = 8

/** undefined: this request needed no grant, or the property leaves it to its playlists. */
export function carryingOf({ access, path, property, target }: Exchange): Carrying | undefined {
  const tokens = property?.access.tokens ?? null
  if (property === null || tokens === null || target === null) return undefined
  if (access.admission === null || tokens.carry === 'none') return undefined
  const context = {
    propertyId: property.id,
    playlistPath: target.path,
    own: property.playlists.own,
  }
  return { by: tokens.carry === 'rewrite' || isAtTop(path) ? 'query' : tokens.carry, context }
}

/**
 * A playlist that came content-coded though identity was asked for: nothing can be put into it, and what it names
 * would be refused. Better the playlist is.
 */
export function cannotCarry(exchange: Exchange, meta: ObjectMeta): boolean {
  if (exchange.access.admission === null || meta.status !== 200 || meta.playlist !== undefined) return false
  if (meta.fields.get('content-encoding') === undefined) return false
  return isPlaylistName(exchange.path) && carryingOf(exchange) !== undefined
}

/** A live playlist whose player would reload it by its token, beyond the token's end. */
export function isReloadedByToken(exchange: Exchange, body: Buffer): boolean {
  const { admission } = exchange.access
  if (admission === null || admission.grant !== null || carryingOf(exchange)?.by !== 'query') return false
  // Of the bytes themselves: a head whose body has just come may not say yet.
  return body.includes('#EXT-X-TARGETDURATION:') && !body.includes('#EXT-X-ENDLIST')
}

/** The form that this one client is sent. */
export function carryGrants(exchange: Exchange, form: PlaylistForm, template: CarriedTemplate): PlaylistForm {
  const { access, property, edge } = exchange
  const tokens = property?.access.tokens ?? null
  if (tokens === null || access.admission === null) return form
  const now = edge.clock.now()
  const client = { path: exchange.path, address: clientTextOf(exchange), session: access.session }
  const grants = new CarriedGrants(tokens.grants, access.admission, client, now, tokens.sessionMs)
  access.session ??= grants.grant.session
  if (tokens.carry === 'cookie' && !isAtTop(exchange.path)) setCookies(exchange, grants, template.scopes, now)
  if (!template.isFilledIn) return form
  const body = template.fill((scope) => grants.textFor(scope))
  const meta = { ...form.meta, length: body.length, sliceBytes: Math.max(1, body.length) }
  return { ...form, meta, body }
}

function setCookies(
  exchange: Exchange,
  grants: CarriedGrants,
  scopes: readonly GrantScope[],
  nowMs: number,
): void {
  const { property, request } = exchange
  const tokens = property?.access.tokens ?? null
  if (property === null || tokens === null) return
  const prefix = isPrefixed(request.target) ? `/~${property.id}` : ''
  const seconds = Math.max(1, Math.floor((grants.grant.expiresMs - nowMs) / 1000))
  for (const scope of scopes.slice(0, COOKIES_MAX)) {
    const attributes = { path: prefix + cookiePath(pathOf(scope)), maxAgeS: seconds, ...tokens.cookie }
    const name = grantCookieName(property.id, pathOf(scope))
    exchange.extra.push('Set-Cookie', setCookie(name, grants.textFor(scope), attributes))
  }
}

/** As deep as an attribute can say: one ends at a `;`, and what followed would be an attribute too. */
function cookiePath(path: string): string {
  const semicolon = path.indexOf(';')
  return semicolon < 0 ? path : path.slice(0, path.lastIndexOf('/', semicolon) + 1)
}

function pathOf(scope: GrantScope): string {
  return 'exact' in scope ? scope.exact : scope.directory
}
