// What a property's settings mean for its playlists, compiled once a configuration.
import { hash } from 'node:crypto'
import { compileOwnUris } from '../../src/hls/own-uris.ts'
import type { OwnUris } from '../../src/hls/own-uris.ts'
import type { RewriteRules } from '../../src/hls/rewrite.ts'
import type { WireProperty } from '../../src/wire/edge-config.ts'
import type { SteeringAnnouncement } from './announce-steering.ts'

export type NamedRules = RewriteRules & {
  /** Rules with one id make the same bytes of the same playlist. */
  readonly id: string
  /** What main playlists say of steering; null: nothing. */
  readonly announcement: SteeringAnnouncement | null
}

export interface PropertyPlaylists {
  readonly own: OwnUris
  readonly rewriting: {
    /** For a playlist that was asked for through `/~id/`. */
    readonly prefixed: NamedRules
    readonly byHost: NamedRules
  }
  readonly compresses: boolean
  /** Segments to fetch ahead of a player; 0: none. */
  readonly prefetchSegments: number
}

export function compilePlaylists(
  settings: WireProperty,
  origins: readonly { readonly url: string }[],
  announcement: SteeringAnnouncement | null,
): PropertyPlaylists {
  const originUrls = origins.map(({ url }) => url)
  const hosts = [...settings.hosts, ...settings.playlists.hosts]
  const own = compileOwnUris(originUrls, hosts)
  const propertyPrefix = `/~${settings.id}`
  const rules = (prefix: string, announced: SteeringAnnouncement | null): NamedRules => {
    const makings = [prefix, propertyPrefix, originUrls, hosts, ...(announced === null ? [] : [announced])]
    const id = hash('sha256', JSON.stringify(makings), 'hex').slice(0, 6)
    return { id, prefix, propertyPrefix, announcement: announced, ...own }
  }
  const announcedBy = (way: SteeringAnnouncement['of']) => (announcement?.of === way ? announcement : null)
  return {
    own,
    rewriting: {
      prefixed: rules(propertyPrefix, announcedBy('prefixed')),
      byHost: rules('', announcedBy('byHost')),
    },
    compresses: settings.playlists.compress,
    prefetchSegments: settings.prefetch.segments,
  }
}
