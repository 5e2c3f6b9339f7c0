// Step: what the player says of itself, and what it will want next. Costs a request without either next to nothing.
import { readCmcd } from '../cmcd/read-cmcd.ts'
import type { PlayerNote } from '../cmcd/read-cmcd.ts'
import type { Exchange } from '../exchange.ts'
import { resolveUri } from '../playlist/resolve.ts'
import type { StepName } from '../request-flow.ts'
import { aheadTarget } from './ahead-target.ts'

export function notePlayer(exchange: Exchange): StepName {
  const { edge, property, request, target } = exchange
  if (property === null || target === null) throw new Error('note-player comes after make-key')
  const note = readCmcd(request)
  if (note !== undefined) edge.cmcd.count(property.id, note)
  const ahead = property.playlists.prefetchSegments
  if (ahead > 0 && request.method === 'GET') {
    edge.prefetcher.ledger.asked(target.primaryKey)
    for (const place of edge.knownPlaylists.following(target.primaryKey, ahead)) {
      want(exchange, place.key, place.path, null)
    }
    if (note !== undefined && note !== 'malformed') wantAnnounced(exchange, note)
  }
  return 'look-up'
}

/** `nor`: relative to this request; `nrr` its range. */
function wantAnnounced(exchange: Exchange, note: PlayerNote): void {
  const { property, target } = exchange
  if (property === null || target === null || note.next === undefined) return
  const context = { propertyId: property.id, playlistPath: target.path, own: property.playlists.own }
  const resolved = resolveUri(note.next, context)
  if (resolved === null || resolved.key === target.primaryKey) return
  want(exchange, resolved.key, resolved.upstreamPath, spanOf(note.nextRange))
}

function spanOf(range: string | undefined): { start: number; end: number } | null {
  const [first, last] = range?.split('-') ?? []
  if (first === undefined || last === undefined) return null
  const end = last === '' ? Number.POSITIVE_INFINITY : Number(last) + 1
  return end > Number(first) ? { start: Number(first), end } : null
}

function want(
  { edge, property, request }: Exchange,
  key: string,
  path: string,
  range: { start: number; end: number } | null,
): void {
  if (property === null) return
  const target = aheadTarget(property, { key, path }, request.header('cdn-loop'))
  edge.prefetcher.want({ propertyId: property.id, target, range })
}
