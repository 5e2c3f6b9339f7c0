// Step: is the object here, and fresh? Memory answers at once; disk is asked only when memory does not know.
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { ageOf, isFresh } from './freshness.ts'
import type { ObjectMeta } from './object-meta.ts'

export function lookUp(exchange: Exchange): StepName | Promise<StepName> {
  const { cache } = exchange.edge
  const key = exchange.target?.key ?? ''
  const meta = cache.findMeta(key)
  if (meta !== undefined) return judge(exchange, meta)
  if (!cache.disk.mayHave(key, 0)) return judge(exchange, undefined)
  return cache.loadMeta(key).then((loaded) => judge(exchange, loaded))
}

function judge(exchange: Exchange, meta: ObjectMeta | undefined): StepName {
  const status = exchange.cache
  if (meta === undefined) {
    status.outcome = 'miss'
    status.forward = 'uri-miss'
    return 'fetch-object'
  }
  const nowMs = exchange.edge.clock.now()
  exchange.meta = meta
  if (!isFresh(meta, nowMs)) {
    status.outcome = 'miss'
    status.forward = 'stale'
    return 'fetch-object'
  }
  status.outcome = 'hit'
  status.forward = null
  status.ttl = Math.floor((meta.lifetimeMs - ageOf(meta, nowMs)) / 1000)
  return 'respond'
}
