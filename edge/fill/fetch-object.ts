// Step: get the object from upstream, or learn that the stored one still holds; alone, or with whoever else
// is waiting for it. What was stored may stand in for an error.
import { rangeStart } from '../../src/http/range.ts'
import { mayServeOnError } from '../cache/freshness.ts'
import { secondsLeft } from '../cache/look-up.ts'
import type { Exchange } from '../exchange.ts'
import { asPart } from '../playlist/low-latency.ts'
import { isPlaylistName } from '../playlist/playlist-times.ts'
import type { StepName } from '../request-flow.ts'
import type { FetchOutcome } from './fetch.ts'
import { fetchTargetOf } from './fetch-target.ts'
import { invalidateAfter } from './invalidate.ts'
import { keepPosted } from './posted.ts'

/** Answers that a stored one may stand in for (RFC 5861 §4). */
const ERROR_STATUSES = new Set([500, 502, 503, 504])

export async function fetchObject(exchange: Exchange): Promise<StepName> {
  const { edge, target, cache, request } = exchange
  if (target === null) throw new Error('fetch-object comes after make-key')
  const stale = exchange.meta ?? undefined
  // Nobody's HEAD makes this edge pull a film. A playlist is short, and its head is that of the form it is sent in.
  if (request.method === 'HEAD' && stale === undefined && !isPlaylistName(target.primaryKey))
    return passThrough(exchange)
  const from = request.method === 'GET' ? (rangeStart(request.header('range')) ?? 0) : 0
  const outcome = await edge.fills.fetch(fetchTargetOf(exchange), stale, from)
  if (outcome.kind === 'other-variant') return 'look-up'
  // Nothing said so before: the object grows, and this range of it is all that can be asked for.
  if (outcome.kind === 'failed' && outcome.error.code === 'origin_growing' && asPart(exchange, target)) {
    return 'look-up'
  }
  cache.collapsed = outcome.collapsed
  if (standsIn(exchange, outcome)) return 'respond'
  return take(exchange, outcome)
}

/** Step: the client's own request, to the upstream and back; nothing is kept. */
export async function passThrough(exchange: Exchange): Promise<StepName> {
  const { edge, target, cache, request } = exchange
  if (target === null) throw new Error('pass-through comes after make-key')
  cache.forward ??= 'method'
  // RFC 9110 §9.3.2: content of a HEAD has no meaning, and not every origin reads it as content.
  const body = request.method === 'HEAD' ? null : request.body
  const outcome = await edge.fills.pass(fetchTargetOf(exchange), request.method, body)
  if (outcome.kind === 'object') {
    exchange.passed = true
    await invalidateAfter(exchange, outcome.meta.status, outcome.meta.fields)
    if (outcome.posted !== undefined)
      edge.background('keep the answer to a POST', keepPosted(exchange, outcome))
  }
  return outcome.kind === 'other-variant' ? 'look-up' : take(exchange, outcome)
}

function take(exchange: Exchange, outcome: Exclude<FetchOutcome, { kind: 'other-variant' }>): StepName {
  const { edge, cache } = exchange
  if (outcome.kind === 'failed') {
    exchange.error = outcome.error
    return 'refuse'
  }
  exchange.meta = outcome.meta
  if (outcome.kind === 'not-modified') {
    cache.outcome = 'revalidated'
    cache.forwardStatus = 304
    cache.ttl = secondsLeft(outcome.meta, edge.clock.now())
    return 'respond'
  }
  exchange.pull = outcome.pull
  cache.stored = outcome.storable
  if (outcome.collapsed) cache.outcome = 'collapsed'
  else if (!outcome.storable) cache.outcome = 'pass'
  return 'respond'
}

/** The stored object in place of an error, if the origin did not forbid it and it is not too old. */
function standsIn(exchange: Exchange, outcome: FetchOutcome): boolean {
  const { meta, cache, edge } = exchange
  const isError =
    outcome.kind === 'failed' || (outcome.kind === 'object' && ERROR_STATUSES.has(outcome.meta.status))
  if (!isError || meta === null || !mayServeOnError(meta, edge.clock.now())) return false
  if (outcome.kind === 'object') {
    outcome.pull.leave(outcome.pull.attach(0))
    cache.forwardStatus = outcome.meta.status
  } else {
    cache.detail = outcome.error.code
  }
  cache.outcome = 'stale'
  cache.ttl = secondsLeft(meta, edge.clock.now())
  return true
}
