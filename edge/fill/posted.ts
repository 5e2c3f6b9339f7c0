// The answer to a POST may stand for its target (RFC 9110 §9.3.3): when it says by Content-Location that it is the
// target's own representation, says itself how long it is fresh, and is what anyone who asked would have been told.
import { FieldBlock } from '../../src/http/fields.ts'
import { cacheControlOf } from '../../src/http/cache-control.ts'
import { explicitLifetimeOf } from '../cache/freshness.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { Exchange } from '../exchange.ts'
import { PASS_PIECE_BYTES } from '../limits.ts'
import type { UpstreamHead } from '../upstream/upstream.ts'
import type { FetchTarget, ObjectOutcome } from './fetch.ts'
import { keyOfReference } from './invalidate.ts'
import { saysMoreThanShared } from './request-fields.ts'
import { readHead } from './response-meta.ts'
import type { HeadContext } from './response-meta.ts'

/** The head to keep it with; undefined when it is for this client alone. Where it was made is judged later. */
export function postedMeta(
  head: UpstreamHead,
  target: FetchTarget,
  context: HeadContext,
): ObjectMeta | undefined {
  const received = new FieldBlock(head.fields)
  if (head.status !== 200 || received.get('content-location') === undefined) return undefined
  // What went up of this client, and never does with a shared fetch, may have made the answer.
  if (target.part !== undefined || saysMoreThanShared(target)) return undefined
  // Slices are of the unencoded representation, and the client's own coding was asked for.
  if (received.get('content-encoding') !== undefined) return undefined
  if ((explicitLifetimeOf(received, cacheControlOf(received), context.responseMs) ?? 0) === 0)
    return undefined
  const { meta, verdict, selecting } = readHead(head, context)
  const { length, playlist } = meta
  const short = length !== null && length <= Math.min(PASS_PIECE_BYTES, meta.sliceBytes)
  // A playlist is read when it comes down as one.
  if (verdict !== 'storable' || selecting.length > 0 || !short || playlist !== undefined) return undefined
  return { ...meta, key: target.primaryKey }
}

/** Keeps the body once it is here, unless its target was made invalid again by then. */
export async function keepPosted(exchange: Exchange, { posted, meta, pull }: ObjectOutcome): Promise<void> {
  const { edge, target } = exchange
  if (posted === undefined || target === null) return
  if (keyOfReference(exchange, meta.fields.get('content-location')) !== target.primaryKey) return
  const { landing } = edge.fills
  const since = landing.lastInvalidation(target.primaryKey)
  const place = pull.attach(0)
  try {
    const slice = pull.slice(place, 0)
    if (slice === undefined) return
    // oxlint-disable-next-line no-await-in-loop -- wakes with each piece of a short body
    for (let { state } = slice; state === 'filling'; { state } = slice) await slice.changed()
    if (slice.state !== 'complete' || slice.received !== posted.length) return
    if (landing.lastInvalidation(target.primaryKey) !== since) return
    edge.cache.setMeta(posted)
    edge.cache.store(posted, 0, slice.body())
  } finally {
    pull.leave(place)
  }
}
