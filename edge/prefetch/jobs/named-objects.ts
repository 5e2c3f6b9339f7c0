// What a playlist names that is to be prefetched with it. Pure.
import type { ParsedPlaylist, ReferenceRole } from '../../../src/hls/playlist.ts'
import type { Renditions } from '../../../src/wire/prefetch.ts'
import { chooseRenditions } from './choose-renditions.ts'
import { resolveUri } from '../../playlist/resolve.ts'
import type { ResolveContext } from '../../playlist/resolve.ts'
import type { KeyedTarget } from '../../property/cache-key.ts'

export interface NamedObjects {
  /** Each once, in the order in which a player wants them. */
  readonly objects: readonly KeyedTarget[]
  /** They are media playlists, which name more. */
  readonly arePlaylists: boolean
  /** How many are left out: in another place, or keys that are for those with a token only. */
  readonly elsewhere: number
}

export interface Naming extends ResolveContext {
  readonly renditions: Renditions
  /** A key of HLS: never on disk. */
  readonly isKey: (path: string) => boolean
}

/** live: more will be added to it, and what is in it will be gone. */
export type NotNamed = 'live' | 'main-within' | 'refused'

/** Of a media playlist: what its segments cannot be played without. Advertisements are their own affair. */
const PLAYED_WITH: ReadonlySet<ReferenceRole> = new Set(['map', 'key'])

/** `isWithin`: the playlist was named by a main playlist. */
export function namedObjects(
  playlist: ParsedPlaylist,
  isWithin: boolean,
  naming: Naming,
): NamedObjects | NotNamed {
  if (playlist.kind === 'refused') return 'refused'
  if (playlist.kind === 'main') {
    // One that names itself would have no end.
    if (isWithin) return 'main-within'
    return { ...resolved(chooseRenditions(playlist, naming.renditions), naming), arePlaylists: true }
  }
  if (!playlist.ended && playlist.type !== 'VOD') return 'live'
  const uris = [...playlist.references.filter(({ role }) => PLAYED_WITH.has(role)), ...playlist.segments].map(
    ({ uri }) => uri,
  )
  return { ...resolved(uris, naming), arePlaylists: false }
}

/** Byte ranges of one file are one object. */
function resolved(uris: readonly string[], naming: Naming): Pick<NamedObjects, 'objects' | 'elsewhere'> {
  const objects = new Map<string, KeyedTarget>()
  let elsewhere = 0
  for (const uri of new Set(uris)) {
    const target = resolveUri(uri, naming)
    if (target === null || naming.isKey(target.path)) elsewhere += 1
    else objects.set(target.key, target)
  }
  return { objects: [...objects.values()], elsewhere }
}
