// Low-Latency HLS (RFC 8216bis §6.2.5, appendix B): requests that an origin holds until it has the answer, and ranges
// of a segment that is still growing. What is growing has no length and no bytes that are all of it: each range of
// it is an object of its own, asked for as the player asks.
import type { ByteSpan } from '../../src/hls/playlist.ts'
import { rangeSpan } from '../../src/http/range.ts'
import type { Exchange } from '../exchange.ts'
import type { KeyedRequest } from '../fill/fetch.ts'
import type { KnownPlaylists } from './known-playlists.ts'
import { holdMaxOf, isBlockingReload } from './playlist-times.ts'

/** How long the origin may wait before it answers; undefined: it has no reason to. */
export function holdMaxFor(known: KnownPlaylists, target: KeyedRequest): number | undefined {
  if (isBlockingReload(target.path)) return holdMaxOf(known.targetMsOf(target.primaryKey))
  const targetMs = known.heldTargetMsOf(target.primaryKey)
  return targetMs === undefined ? undefined : holdMaxOf(targetMs)
}

/** A playlist says that the object is growing: a range of it becomes its own object, all of it is asked for anew. */
export function distinguishGrowing(exchange: Exchange, target: KeyedRequest): void {
  if (!exchange.edge.knownPlaylists.isGrowing(target.primaryKey)) return
  if (!asPart(exchange, target)) target.rule = { ...target.rule, overrideMs: 0 }
}

/** Makes the target the range that the client asks for; false when it asks for none that can be told apart. */
export function asPart({ request }: Exchange, target: KeyedRequest): boolean {
  if (request.method !== 'GET' || request.header('if-range') !== undefined) return false
  const span = rangeSpan(request.header('range'))
  if (span === undefined) return false
  target.part = span
  target.primaryKey += ` ${partRange(span)}`
  return true
}

/** As a Range field. */
export function partRange(span: ByteSpan): string {
  return `bytes=${span.start}-${span.end === null ? '' : span.end - 1}`
}
