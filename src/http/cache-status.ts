// The Cache-Status field (RFC 9211): one vocabulary for the reply, the log and the metrics.

/** Why a request went forward (RFC 9211 §2.2). */
export type ForwardReason =
  | 'uri-miss'
  | 'vary-miss'
  | 'miss'
  | 'stale'
  | 'partial'
  | 'request'
  | 'method'
  | 'bypass'

/** `local`: answered by the edge itself, and no cache was asked: a preflight, a redirect to a grant. */
export type CacheOutcome =
  | 'hit'
  | 'miss'
  | 'stale'
  | 'revalidated'
  | 'collapsed'
  | 'pass'
  | 'denied'
  | 'local'

export interface CacheStatus {
  outcome: CacheOutcome
  forward: ForwardReason | null
  /** Status of the upstream's answer, when it differs from the reply's. */
  forwardStatus: number | null
  stored: boolean
  collapsed: boolean
  /** Seconds of freshness left; negative when stale; null when unknown. */
  ttl: number | null
  detail: string | null
}

/** An identifier as an item of a structured field: a token, or a string where it does not begin like one. */
export function formatItem(identifier: string): string {
  return /^[A-Za-z]/.test(identifier) ? identifier : `"${identifier}"`
}

/** `gz-1; hit; ttl=5` or `gz-1; fwd=uri-miss; stored`. */
export function formatCacheStatus(name: string, status: CacheStatus): string {
  let text = formatItem(name)
  if (status.forward === null)
    text += status.outcome === 'denied' || status.outcome === 'local' ? '' : '; hit'
  else text += `; fwd=${status.forward}`
  if (status.forwardStatus !== null) text += `; fwd-status=${status.forwardStatus}`
  if (status.ttl !== null) text += `; ttl=${status.ttl}`
  if (status.stored) text += '; stored'
  if (status.collapsed) text += '; collapsed'
  if (status.detail !== null) text += `; detail=${status.detail}`
  return text
}
