// What probes of an edge's addresses have shown, per address family. Two in a row make a verdict, either way; what
// this machine cannot try says nothing of the edge.
import { PROBE_FAILURES, PROBE_SUCCESSES } from '../limits.ts'

export type Family = 4 | 6

export type Reach = 'unknown' | 'reachable' | 'unreachable'

export type EdgeReach = Readonly<Record<Family, Reach>>

export const REACH_UNKNOWN: EdgeReach = { 4: 'unknown', 6: 'unknown' }

/** ok, or what went wrong; local: this machine's own fault, such as no route for the family. */
export const PROBE_RESULTS = [
  'ok',
  'refused',
  'timeout',
  'tls',
  'status',
  'other-edge',
  'name',
  'local',
  'failed',
] as const

export type ProbeResult = (typeof PROBE_RESULTS)[number]

/** Of one address. */
export interface AddressReach {
  readonly reach: Reach
  /** Results in a row that speak against `reach`. */
  readonly contrary: number
  /** The last result; undefined before the first. */
  readonly last: ProbeResult | undefined
}

export const UNTRIED: AddressReach = { reach: 'unknown', contrary: 0, last: undefined }

export function afterProbe(before: AddressReach, result: ProbeResult): AddressReach {
  // Of most names one family does not resolve: that it has no such address is no failure.
  if (result === 'local' || result === 'name') return { reach: 'unknown', contrary: 0, last: result }
  const isOk = result === 'ok'
  const wanted: Reach = isOk ? 'reachable' : 'unreachable'
  if (before.reach === wanted) return { reach: wanted, contrary: 0, last: result }
  const contrary = before.contrary + 1
  // Of an address of which nothing is known yet, one success is enough.
  const needed = !isOk ? PROBE_FAILURES : before.reach === 'unknown' ? 1 : PROBE_SUCCESSES
  return contrary < needed
    ? { reach: before.reach, contrary, last: result }
    : { reach: wanted, contrary: 0, last: result }
}

/** Of all addresses of an edge, by family. A name that resolves in neither leads nowhere. */
export function reachOfEdge(addresses: Readonly<Record<Family, readonly AddressReach[]>>): EdgeReach {
  const all = [...addresses[4], ...addresses[6]]
  if (all.length > 0 && all.every(({ last }) => last === 'name'))
    return { 4: 'unreachable', 6: 'unreachable' }
  return { 4: reachOfFamily(addresses[4]), 6: reachOfFamily(addresses[6]) }
}

/** A family can be reached by any of its addresses. */
function reachOfFamily(addresses: readonly AddressReach[]): Reach {
  if (addresses.some(({ reach }) => reach === 'reachable')) return 'reachable'
  return addresses.some(({ reach }) => reach === 'unreachable') ? 'unreachable' : 'unknown'
}
