// Which playlists of a main playlist are prefetched: the variants that are asked for, and the media that play with them.
// Pure.
import type { Variant } from '../../../src/hls/main-entries.ts'
import type { MainPlaylist } from '../../../src/hls/playlist.ts'
import type { Renditions } from '../../../src/wire/prefetch.ts'

/** URIs as written, each once. Variants for trick play come with `all` alone. */
export function chooseRenditions(main: MainPlaylist, wanted: Renditions): string[] {
  const chosen = variantsOf(main.variants, wanted)
  const groups = new Set(chosen.flatMap(({ groups: named }) => named))
  const media = main.groupMedia.filter(({ group }) => wanted === 'all' || groups.has(group))
  const trickPlay = wanted === 'all' ? main.references.filter(({ role }) => role === 'i-frame-variant') : []
  return [...new Set([...chosen, ...media, ...trickPlay].map(({ uri }) => uri))]
}

function variantsOf(variants: readonly Variant[], wanted: Renditions): readonly Variant[] {
  if (wanted === 'all') return variants
  const bandwidths = variants.map(({ bandwidth }) => bandwidth ?? 0)
  // Of one bandwidth there may be several, for failover or in other codecs: a player takes any of them.
  const withBandwidth = (bits: number) => variants.filter(({ bandwidth }) => (bandwidth ?? 0) === bits)
  if (wanted === 'highest') return withBandwidth(Math.max(...bandwidths))
  const lowest = withBandwidth(Math.min(...bandwidths))
  if (wanted === 'lowest') return lowest
  const within = variants.filter(({ height, bandwidth }) =>
    'heightMax' in wanted
      ? height !== null && height <= wanted.heightMax
      : bandwidth !== null && bandwidth <= wanted.bandwidthMax,
  )
  return within.length > 0 ? within : lowest
}
