// From a URI in a playlist to the object that the edge would ask its origin for. Pure.
import type { OwnUris } from '../../src/hls/own-uris.ts'
import { keyOf } from '../property/cache-key.ts'
import type { KeyedTarget } from '../property/cache-key.ts'

export interface ResolveContext {
  propertyId: string
  /** Path (with query) of the playlist inside the property. */
  playlistPath: string
  own: OwnUris
}

/** What can be put behind the playlist's directory as it is. */
const PLAIN = /^[A-Za-z0-9_~-][A-Za-z0-9_.~/-]*(?:\?[A-Za-z0-9_.~=&%-]*)?$/

/** Of the base of relative URIs. With `http`, `http:/other.example/x` would be taken for one (WHATWG URL). */
const NOBODYS_SCHEME = 'edgeward-playlist'

/** null: it leads out of the property, or is none that this edge understands. */
export function resolveUri(uri: string, context: ResolveContext): KeyedTarget | null {
  const target = targetOf(uri, context)
  return target === null ? null : keyOf(context.propertyId, target)
}

function targetOf(uri: string, { propertyId, playlistPath, own }: ResolveContext): string | null {
  if (PLAIN.test(uri) && !uri.includes('..')) {
    const question = playlistPath.indexOf('?')
    const path = question < 0 ? playlistPath : playlistPath.slice(0, question)
    return path.slice(0, path.lastIndexOf('/') + 1) + uri
  }
  if (/^https?:\/\//i.test(uri)) return own.ownPath(uri) ?? null
  const prefix = `/~${propertyId}/`
  if (uri.startsWith(prefix)) return uri.slice(prefix.length - 1)
  if (uri.startsWith('/') && !uri.startsWith('//')) return own.withoutBase(uri) ?? uri
  const url = URL.parse(uri, `${NOBODYS_SCHEME}://edge.invalid${playlistPath}`)
  return url === null || url.host !== 'edge.invalid' ? null : url.pathname + url.search
}
