// Reads every playlist that comes down whole from an origin: what it says of its own life goes into its head, what
// it says of other objects into the known playlists. Called where fills land.
import { parsePlaylist } from '../../src/hls/parse.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { KnownPlaylists } from './known-playlists.ts'
import { boundLifetimes, mediaTimesOf } from './playlist-times.ts'
import type { PropertyPlaylists } from './property-playlists.ts'

export interface WholeBody {
  meta: ObjectMeta
  body: Buffer
  /** Property, path and query. */
  primaryKey: string
}

/** The head to keep: the same one for anything but a media playlist. */
export type BodyObserver = (whole: WholeBody) => ObjectMeta

export function observePlaylists(
  known: KnownPlaylists,
  playlistsOf: (propertyId: string) => PropertyPlaylists | undefined,
): BodyObserver {
  return ({ meta, body, primaryKey }) => {
    const facts = meta.playlist
    if (facts === undefined) return meta
    const parsed = parsePlaylist(body)
    const media = mediaTimesOf(parsed)
    if (parsed.kind !== 'media' || media === null) return meta
    const space = primaryKey.indexOf(' ')
    const propertyId = primaryKey.slice(0, space)
    const settings = playlistsOf(propertyId)
    if (settings !== undefined && (media.live || settings.prefetchSegments > 0)) {
      const context = { propertyId, playlistPath: primaryKey.slice(space + 1), own: settings.own }
      known.note(primaryKey, parsed, media.targetMs, context, settings.prefetchSegments > 0)
    }
    const read = { ...facts, media }
    return { ...meta, ...boundLifetimes(read, meta), playlist: read }
  }
}
