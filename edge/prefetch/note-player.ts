// Step: what the player says of itself, and what it will want next. Costs a request without either next to nothing.
import { readCmcd } from '../cmcd/read-cmcd.ts'
import type { PlayerNote } from '../cmcd/read-cmcd.ts'
import type { Exchange } from '../exchange.ts'
import { headerOf } from '../fill/fetch.ts'
import type { FetchTarget } from '../fill/fetch.ts'
import { resolveUri } from '../playlist/resolve.ts'
import type { StepName } from '../request-flow.ts'

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
  const question = path.indexOf('?')
  const target: FetchTarget = {
    primaryKey: key,
    key,
    path,
    origins: property.origins,
    rule: property.ruleFor(question < 0 ? path : path.slice(0, question)),
    // The edge's own request, on behalf of nobody: only what tells where it has been goes along.
    ...bare(request.header('cdn-loop')),
    authorised: false,
    onInterim: null,
  }
  edge.prefetcher.want({ propertyId: property.id, target, range })
}

function bare(cdnLoop: string | undefined): Pick<FetchTarget, 'fields' | 'header'> {
  const fields = cdnLoop === undefined ? [] : ['CDN-Loop', cdnLoop]
  return { fields, header: headerOf(fields) }
}
