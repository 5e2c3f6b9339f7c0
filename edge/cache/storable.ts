// May a response be kept for other clients (RFC 9111 §3)? Every no has its reason. Pure.
import type { CacheControl } from '../../src/http/cache-control.ts'
import type { FieldBlock } from '../../src/http/fields.ts'

export type StorableVerdict =
  | 'storable'
  | 'status'
  | 'no-store'
  | 'private'
  | 'set-cookie'
  | 'vary'
  | 'no-freshness'
  | 'no-validator'
  | 'head-too-long'

/** Statuses whose answers are about the object, not about this one request. */
const STATUSES = new Set([200, 203, 301, 308, 404, 405, 410, 414, 501])
/** Fields that do not vary what the edge asks for: it always asks for the identity encoding, without Origin. */
const HARMLESS_VARY = new Set([
  'accept-encoding',
  'origin',
  'access-control-request-method',
  'access-control-request-headers',
])

export function storableVerdict(
  status: number,
  fields: FieldBlock,
  control: CacheControl,
  lifetimeMs: number,
  headBytesMax: number,
): StorableVerdict {
  if (!STATUSES.has(status)) return 'status'
  if (control.noStore) return 'no-store'
  if (control.private) return 'private'
  if (fields.get('set-cookie') !== undefined) return 'set-cookie'
  if (variesByClient(fields)) return 'vary'
  // Without lifetime it is worth keeping only to ask whether it still holds.
  if (lifetimeMs === 0 && fields.get('etag') === undefined && fields.get('last-modified') === undefined) {
    return 'no-freshness'
  }
  return fields.text.length > headBytesMax ? 'head-too-long' : 'storable'
}

function variesByClient(fields: FieldBlock): boolean {
  for (let i = 0; i < fields.pairs.length; i += 2) {
    if (fields.pairs[i]?.toLowerCase() !== 'vary') continue
    for (const name of (fields.pairs[i + 1] ?? '').split(',')) {
      const lower = name.trim().toLowerCase()
      if (lower !== '' && !HARMLESS_VARY.has(lower)) return true
    }
  }
  return false
}
