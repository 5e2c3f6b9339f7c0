// Step: is the object here, and fresh? Memory answers at once; disk is asked only when memory does not know.
import { preferredLanguage } from '../../src/http/accept-language.ts'
import { variantText } from '../../src/http/vary.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { ageOf, isFresh, mayServeWhileRevalidating } from './freshness.ts'
import { variantKey } from './object-meta.ts'
import type { ObjectMeta } from './object-meta.ts'

export function lookUp(exchange: Exchange): StepName | Promise<StepName> {
  const { target } = exchange
  if (target === null) throw new Error('look-up comes after make-key')
  target.key = target.primaryKey
  return find(exchange, target.primaryKey)
}

function find(exchange: Exchange, key: string): StepName | Promise<StepName> {
  const { cache } = exchange.edge
  const meta = cache.findMeta(key)
  if (meta !== undefined) return judge(exchange, meta)
  if (!cache.disk.mayHave(key, 0)) return judge(exchange, undefined)
  return cache.loadMeta(key).then((loaded) => judge(exchange, loaded))
}

function judge(exchange: Exchange, meta: ObjectMeta | undefined): StepName | Promise<StepName> {
  const { target, cache: status } = exchange
  if (target === null) throw new Error('look-up comes after make-key')
  if (meta === undefined) {
    if (target.key !== target.primaryKey) {
      const other = inPreferredLanguage(exchange, target.primaryKey)
      if (other !== undefined) return judge(exchange, other)
    }
    exchange.meta = null
    status.outcome = 'miss'
    status.forward = target.key === target.primaryKey ? 'uri-miss' : 'vary-miss'
    return 'fetch-object'
  }
  if (meta.selecting.length > 0) {
    target.key = variantKey(
      meta,
      variantText(meta.selecting, (name) => exchange.request.header(name)),
    )
    return find(exchange, target.key)
  }
  const nowMs = exchange.edge.clock.now()
  exchange.meta = meta
  if (isFresh(meta, nowMs)) {
    status.outcome = 'hit'
    status.forward = null
    status.ttl = secondsLeft(meta, nowMs)
    return 'respond'
  }
  if (mayServeWhileRevalidating(meta, nowMs)) {
    status.outcome = 'stale'
    status.forward = null
    status.ttl = secondsLeft(meta, nowMs)
    return 'revalidate-behind'
  }
  status.outcome = 'miss'
  status.forward = 'stale'
  return 'fetch-object'
}

/**
 * Another variant that is in the one language which the client likes best, while it is fresh: whatever else the client
 * would take, the origin has this. Browsers send a list each of their own, and few languages stand at its head.
 */
function inPreferredLanguage({ edge, request }: Exchange, primaryKey: string): ObjectMeta | undefined {
  const language = preferredLanguage(request.header('accept-language'))
  const key = language === undefined ? undefined : edge.cache.variantIn(primaryKey, language)
  const meta = key === undefined ? undefined : edge.cache.findMeta(key)
  return meta !== undefined && isFresh(meta, edge.clock.now()) ? meta : undefined
}

export function secondsLeft(meta: ObjectMeta, nowMs: number): number {
  return Math.floor((meta.lifetimeMs - ageOf(meta, nowMs)) / 1000)
}
