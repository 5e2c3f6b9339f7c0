// What a client was granted, on its way to all that a playlist names: into the URIs or into cookies of this reply.
import { CarriedGrants } from '../../src/access/carried-grants.ts'
import { grantCookieName } from '../../src/access/grant-carrier.ts'
import { scopeOf } from '../../src/access/grant.ts'
import type { GrantScope } from '../../src/access/grant.ts'
import { setCookie } from '../../src/http/cookies.ts'
import { isPrefixed } from '../../src/property-index.ts'
import { clientTextOf } from '../access/client.ts'
import type { Exchange } from '../exchange.ts'
import type { CarriedTemplate, Carrying } from './carried-template.ts'
import type { PlaylistForm } from './playlist-forms.ts'

/** Cookies that one reply sets: one for the playlist's own directory, others for where its URIs lead. */
const COOKIES_MAX = 8

/** undefined: this request needed no grant, or the property leaves it to its playlists. */
export function carryingOf({ access, property, target }: Exchange): Carrying | undefined {
  const tokens = property?.access.tokens ?? null
  if (property === null || tokens === null || target === null) return undefined
  if (access.admission === null || tokens.carry === 'none') return undefined
  const context = {
    propertyId: property.id,
    playlistPath: target.path,
    own: property.playlists.own,
  }
  return { by: tokens.carry === 'rewrite' ? 'query' : tokens.carry, context }
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
  if (tokens.carry === 'cookie') setCookies(exchange, grants, template.scopes, now)
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
  const { property, request, path } = exchange
  const tokens = property?.access.tokens ?? null
  if (property === null || tokens === null) return
  const prefix = isPrefixed(request.target) ? `/~${property.id}` : ''
  const directories = new Set([directoryOf(scopeOf(path)), ...scopes.map(directoryOf)])
  const seconds = Math.max(1, Math.floor((grants.grant.expiresMs - nowMs) / 1000))
  for (const directory of withoutCovered([...directories]).slice(0, COOKIES_MAX)) {
    const attributes = { path: prefix + directory, maxAgeS: seconds, ...tokens.cookie }
    const value = grants.textFor({ directory })
    exchange.extra.push('Set-Cookie', setCookie(grantCookieName(property.id, directory), value, attributes))
  }
}

/** A cookie has no path but directories: what lies at the top is covered by the property's own. */
function directoryOf(scope: GrantScope): string {
  return 'exact' in scope ? '/' : scope.directory
}

function withoutCovered(directories: readonly string[]): string[] {
  return directories.filter((one) => !directories.some((other) => other !== one && one.startsWith(other)))
}
