// Step: get the object from upstream, or learn that the stored one still holds; alone, or with whoever else
// is waiting for it.
import { rangeStart } from '../../src/http/range.ts'
import { ageOf } from '../cache/freshness.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

export async function fetchObject(exchange: Exchange): Promise<StepName> {
  const { edge, target, cache } = exchange
  if (target === null) throw new Error('fetch-object comes after make-key')
  const stale = exchange.meta ?? undefined
  const from = rangeStart(exchange.request.header('range')) ?? 0
  const outcome = await edge.fills.fetch(target, stale, from)
  cache.collapsed = outcome.collapsed
  if (outcome.kind === 'failed') {
    exchange.error = outcome.error
    return 'refuse'
  }
  exchange.meta = outcome.meta
  if (outcome.kind === 'not-modified') {
    cache.outcome = 'revalidated'
    cache.forwardStatus = 304
    cache.ttl = Math.floor((outcome.meta.lifetimeMs - ageOf(outcome.meta, edge.clock.now())) / 1000)
    return 'respond'
  }
  exchange.pull = outcome.pull
  cache.stored = outcome.storable
  if (outcome.collapsed) cache.outcome = 'collapsed'
  else if (!outcome.storable) cache.outcome = 'pass'
  return 'respond'
}
