// A successful unsafe request makes what is stored for its target, and for what its answer points at on the same
// host, invalid (RFC 9111 §4.4).
import type { FieldBlock } from '../../src/http/fields.ts'
import type { Exchange } from '../exchange.ts'
import { keyOf } from '../property/cache-key.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Resolves when nothing of it can be served any more: before the client hears of its success. */
export async function invalidateAfter(exchange: Exchange, status: number, fields: FieldBlock): Promise<void> {
  const { request, edge, target, property } = exchange
  if (SAFE.has(request.method) || status < 200 || status >= 400) return
  if (target === null || property === null) return
  const keys = new Set([target.primaryKey])
  for (const name of ['location', 'content-location']) {
    const key = keyOfReference(exchange, fields.get(name))
    if (key !== null) keys.add(key)
  }
  await Promise.all([...keys].map((key) => edge.fills.landing.invalidate(key)))
}

/** The key of what a field of an answer points at; null when that is not of this property. */
export function keyOfReference(
  { request, target, property }: Exchange,
  reference: string | undefined,
): string | null {
  if (target === null || property === null) return null
  const path = samePlace(reference, request.host, target.path, property.chain.origins)
  return path === null ? null : (keyOf(property.id, path)?.key ?? null)
}

/** The path and query of a reference, if it stays with this host or origin. */
function samePlace(
  reference: string | undefined,
  host: string,
  path: string,
  origins: readonly { url: string }[],
): string | null {
  if (reference === undefined) return null
  const base = `http://${host}${path}`
  if (!URL.canParse(reference, base)) return null
  const url = new URL(reference, base)
  const own = URL.canParse(base) && url.host === new URL(base).host
  const origin = origins.some((upstream) => new URL(upstream.url).host === url.host)
  return own || origin ? url.pathname + url.search : null
}
