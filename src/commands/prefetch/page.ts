// What `edgeward prefetch` prints of a prefetch: how far it is in one line, its edges and sites, and what failed.
import { renditionsText, windowText } from '../../config/prefetch-values.ts'
import { NO_COUNTS, addCounts } from '../../wire/prefetch.ts'
import type { PrefetchCounts, PrefetchList, PrefetchStatus } from '../../wire/prefetch.ts'
import { tableLines } from '../operator/table.ts'

type EdgeOfPrefetch = PrefetchStatus['edges'][number]

export function summaryOf(status: PrefetchStatus): string {
  const counts = countsOf(status.edges)
  const { fetched, present, failed, elsewhere, bytes } = counts
  const away = status.edges.filter(isAway)
  const words = [
    `${fetched} fetched (${sizeText(bytes)})`,
    `${present} here already`,
    `${failed} failed`,
    ...(elsewhere === 0 ? [] : [`${elsewhere} left out`]),
  ]
  const awayWords = away.length === 0 ? '' : `; away: ${away.map(({ id }) => id).join(', ')}`
  return `${status.state}, ${percentOf(counts)}: ${words.join(', ')}${paceWords(status, counts)}${awayWords}`
}

export function statusLines(status: PrefetchStatus): string[] {
  const { id, warm, atMs, urls, sites, settings } = status
  const asked = warm === null ? 'asked for' : `keeps ${warm} warm,`
  const bounds = [
    `renditions ${renditionsText(settings.renditions)}`,
    ...(settings.bitRate === null ? [] : [`at most ${rateText(settings.bitRate)}`]),
    ...(settings.window === null ? [] : [windowText(settings.window)]),
  ]
  return [
    `prefetch ${id}: ${asked} ${new Date(atMs).toISOString()}`,
    `${urls} URLs to ${sites.join(', ')}; ${bounds.join('; ')}`,
    summaryOf(status),
    '',
    ...edgeTable(status.edges),
    ...failureLines(status),
  ]
}

export function listLines({ prefetches }: PrefetchList): string[] {
  if (prefetches.length === 0) return ['no prefetch is known']
  const rows = prefetches.map(({ id, state, warm, atMs, urls, counts }) => [
    id,
    warm === null ? '' : `warm ${warm}`,
    `${new Date(atMs).toISOString().slice(0, 19)}Z`,
    state,
    String(urls),
    percentOf(counts),
    String(counts.failed),
    sizeText(counts.bytes),
  ])
  const head = ['ID', 'FOR', 'SINCE', 'STATE', 'URLS', 'DONE', 'FAILED', 'FETCHED']
  return tableLines([head, ...rows], new Set([4, 5, 6, 7]))
}

/** A line for each failure that is told one by one. */
export function failedOf({ edges }: PrefetchStatus): string[] {
  return edges.flatMap(({ id, progress }) =>
    (progress?.failures ?? []).map(
      ({ property, path, reason, detail }) => `${id}: /~${property}${path}: ${reason} (${detail})`,
    ),
  )
}

function failureLines(status: PrefetchStatus): string[] {
  const told = failedOf(status)
  const more = countsOf(status.edges).failed - told.length
  if (told.length === 0) return []
  return ['', ...told, ...(more > 0 ? [`and ${more} more`] : [])]
}

function edgeTable(edges: readonly EdgeOfPrefetch[]): string[] {
  const rows: string[][] = []
  for (const [site, here] of Map.groupBy(edges, (edge) => edge.site)) {
    if (here.length > 1) rows.push(rowOf(site, 'all', '', countsOf(here)))
    for (const edge of here) rows.push(rowOf(site, edge.id, stateWords(edge), countsOf([edge])))
  }
  const head = ['SITE', 'EDGE', 'STATE', 'DONE', 'FETCHED', 'PRESENT', 'FAILED', 'BYTES']
  return tableLines([head, ...rows], new Set([3, 4, 5, 6, 7]))
}

function rowOf(site: string, edge: string, state: string, counts: PrefetchCounts): string[] {
  const { fetched, present, failed, bytes } = counts
  return [
    site,
    edge,
    state,
    percentOf(counts),
    String(fetched),
    String(present),
    String(failed),
    sizeText(bytes),
  ]
}

function stateWords({ health, progress }: EdgeOfPrefetch): string {
  if (progress?.state === 'done') return 'done'
  if (health === 'down' || health === 'removed') return `away (${health})`
  if (progress === null) return 'not begun'
  return progress.state === 'working' ? rateText(progress.bitRate) : progress.state
}

function isAway({ health, progress }: EdgeOfPrefetch): boolean {
  return progress?.state !== 'done' && (health === 'down' || health === 'removed')
}

function countsOf(edges: readonly EdgeOfPrefetch[]): PrefetchCounts {
  return edges.reduce(
    (sum, { progress, urls }) => addCounts(sum, progress?.counts ?? { ...NO_COUNTS, known: urls }),
    NO_COUNTS,
  )
}

function percentOf({ known, fetched, present, failed }: PrefetchCounts): string {
  const settled = fetched + present + failed
  // Not 100 before the last is.
  return `${known === 0 ? 100 : Math.floor((100 * settled) / known)} %`
}

/** How fast it goes, and for how long yet, while it does. */
function paceWords({ state, edges }: PrefetchStatus, counts: PrefetchCounts): string {
  const bitRate = edges.reduce((sum, { progress }) => sum + (progress?.bitRate ?? 0), 0)
  const settled = counts.fetched + counts.present + counts.failed
  if (state !== 'active' || settled === 0) return ''
  const leftMs = ((counts.known - settled) * counts.workedMs) / settled
  return `; ${rateText(bitRate)}, about ${durationText(leftMs)} left`
}

function rateText(bitsPerSecond: number): string {
  const [unit, one] = bitsPerSecond >= 1e9 ? (['Gbit/s', 1e9] as const) : (['Mbit/s', 1e6] as const)
  return `${Number((bitsPerSecond / one).toPrecision(3))} ${unit}`
}

function sizeText(bytes: number): string {
  const steps = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  const step = bytes < 1000 ? 0 : Math.min(steps.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${Number((bytes / 1000 ** step).toPrecision(3))} ${steps[step] ?? 'B'}`
}

function durationText(ms: number): string {
  if (ms < 90_000) return `${Math.ceil(ms / 1000)} s`
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`
}
