// What prefetching and playlists cost and bring, read from their owners when Prometheus scrapes.
import type { Registry } from 'prom-client'
import type { EdgeContext } from '../exchange.ts'
import { liveCounter } from '../report/edge-metrics.ts'
import { liveGauge } from '../report/traffic.ts'

export function registerVideoMetrics(registry: Registry, edge: EdgeContext): void {
  const { prefetcher, playlistForms, knownPlaylists } = edge
  const { ledger } = prefetcher
  const prefetch = (name: string, help: string, total: () => number) =>
    liveCounter(registry, `edgeward_edge_prefetch_${name}_total`, help, total)
  prefetch('objects', 'Objects fetched before anyone asked.', () => ledger.objects)
  prefetch('bytes', 'Body bytes of those.', () => ledger.bytes)
  prefetch('used_objects', 'Prefetched objects that somebody asked for.', () => ledger.usedObjects)
  prefetch('used_bytes', 'Body bytes of those.', () => ledger.usedBytes)
  prefetch('unused_objects', 'Prefetched objects that nobody asked for within five minutes.', () => {
    ledger.judge()
    return ledger.unusedObjects
  })
  prefetch('unused_bytes', 'Body bytes of those.', () => {
    ledger.judge()
    return ledger.unusedBytes
  })
  prefetch('dropped', 'Prefetches not begun because a bound was reached.', () => prefetcher.dropped)
  liveGauge(
    registry,
    'edgeward_edge_playlist_forms_bytes',
    'Bytes of rewritten and compressed playlists kept.',
    () => playlistForms.bytes,
  )
  liveGauge(
    registry,
    'edgeward_edge_known_segments',
    'Segments whose place in a playlist is known.',
    () => knownPlaylists.segmentCount,
  )
}
