// Which of some edges may take this client: hard rules drop an edge, doubts make it a last resort, and of those that
// are left only the least doubtful stay. Each edge that falls out keeps the word of what dropped it.
import { SESSION_BIT_RATE, UTILISATION_MAX } from '../limits.ts'
import type { EdgeState } from '../health/liveness.ts'
import type { EdgeReach, Family } from '../health/reachability.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { Snapshot } from '../snapshot.ts'
import type { EdgeView, PropertyView } from '../topology.ts'
import type { Demand } from './demand.ts'
import type { Claim, Hash64 } from '../../src/rendezvous.ts'
import { standingOf } from './standing.ts'
import type { Standing } from './standing.ts'

/** What a choice is made for, and from. */
export interface ChoiceQuery {
  readonly snapshot: Snapshot
  readonly demand: Demand
  readonly nowMs: number
  readonly property: PropertyView
  readonly client: IpAddress | undefined
  /** Of the addresses by which the client is to reach the edge; undefined where that is not known. */
  readonly family: Family | undefined
  /** It is told an address of that family, and not a name: an edge without one is none. It asks for no asset. */
  readonly byAddress: boolean
  /** Of the asset. */
  readonly key: Hash64
  /** The edge that sent this client away. */
  readonly avoided: string | undefined
}

/**
 * Why an edge is taken only where no other can serve, least doubtful first. unreachable: it reports, but probes in the
 * client's address family fail. An edge of the wrong family comes last: to a client that has only the other one it is
 * no edge at all.
 */
export const DOUBTS = [
  'none',
  'no-weight',
  'avoided',
  'returning',
  'flapping',
  'silent',
  'unreachable',
  'address-family',
] as const
export type Doubt = (typeof DOUBTS)[number]

export type DropReason = 'down' | 'draining' | Mismatch | Exclude<Doubt, 'none'>

/** Why an edge is none for a property and a client, however it fares. */
export type Mismatch = 'capability' | 'not-pinned-here' | 'no-address'

export interface DroppedEdge {
  readonly edge: EdgeView
  readonly reason: DropReason
}

/** Why an edge stands where it does among those of its site. overloaded: over its own limit, whatever others carry. */
export type PlaceReason = 'hash' | 'hot-asset' | 'over-share' | 'overloaded'

export interface Candidate extends Claim {
  readonly edge: EdgeView
  readonly state: EdgeState
  readonly doubt: Doubt
  /** Bits a second it can send as it fares now. */
  readonly capacity: number
  /** Its share of the keys of its site. */
  readonly weight: number
  readonly overloaded: boolean
  /** The part of its fair share that it may have by now: 1, less for a new or returning edge. */
  readonly ramp: number
  /** Of its whole capacity; what its reports say and what was sent there since. */
  readonly utilisation: number
  score: number
  reason: PlaceReason
}

export interface FitEdges {
  /** All of one doubt; empty when none may take the client. */
  readonly candidates: readonly Candidate[]
  readonly dropped: readonly DroppedEdge[]
}

/** What the fit ones among some edges carry together; without making a list of them. */
export interface FitTotals {
  /** Index in DOUBTS; DOUBTS.length when none may take the client. */
  readonly doubt: number
  /** Bits a second they send, and can send as they fare. */
  readonly load: number
  readonly room: number
}

export function totalsOf(edges: readonly EdgeView[], query: ChoiceQuery): FitTotals {
  const { snapshot, nowMs } = query
  let least: number = DOUBTS.length
  let load = 0
  let room = 0
  for (const edge of edges) {
    const standing = standingOf(edge, snapshot, nowMs)
    const doubt = placeOf(standing, query)
    if (doubt > least || doubt === DOUBTS.length) continue
    if (doubt < least) {
      least = doubt
      load = 0
      room = 0
    }
    load += utilisationOf(standing, query) * edge.bandwidth
    room += standing.capacity * standing.ramp
  }
  return { doubt: least, load, room }
}

/** Those of the least doubt, which `totalsOf` tells, and why each of the others is not among them. */
export function fitEdgesOf(
  edges: readonly EdgeView[],
  query: ChoiceQuery,
  least: number = totalsOf(edges, query).doubt,
): FitEdges {
  const { snapshot, nowMs } = query
  const candidates: Candidate[] = []
  const dropped: DroppedEdge[] = []
  for (const edge of edges) {
    const standing = standingOf(edge, snapshot, nowMs)
    const reason = dropReasonOf(standing, query)
    const doubt = reason === null ? doubtOf(standing, query) : least
    if (reason !== null) dropped.push({ edge, reason })
    else if (doubt === least) candidates.push(candidateOf(standing, DOUBTS[least] ?? 'none', query))
    else dropped.push({ edge, reason: DROPPED_FOR[doubt] ?? 'silent' })
  }
  return { candidates, dropped }
}

/** What speaks against an edge for this client, as its place in DOUBTS; beyond all of them when it may not take it. */
export function placeOf(standing: Standing, query: ChoiceQuery): number {
  if (!standing.takesClients || mismatchOf(standing.edge, query) !== null) return DOUBTS.length
  return doubtOf(standing, query)
}

function dropReasonOf(
  { edge, state, takesClients }: Standing,
  query: ChoiceQuery,
): Exclude<DropReason, Doubt> | null {
  if (!takesClients) return state === 'draining' ? 'draining' : 'down'
  return mismatchOf(edge, query)
}

/** Why it may not serve this property to this client; null: it may. */
export function mismatchOf(
  edge: EdgeView,
  { property, client, family, byAddress }: ChoiceQuery,
): Mismatch | null {
  for (const label of property.capabilities) if (!edge.capabilities.has(label)) return 'capability'
  if (byAddress && family !== undefined && !edge.hasAddress[family]) return 'no-address'
  if (edge.pinned === null) return null
  return client !== undefined && edge.pinned.find(client) !== undefined ? null : 'not-pinned-here'
}

/** Their places in DOUBTS. */
const DOUBT: Readonly<Record<Doubt, number>> = {
  none: 0,
  'no-weight': 1,
  avoided: 2,
  returning: 3,
  flapping: 4,
  silent: 5,
  unreachable: 6,
  'address-family': 7,
}

/** The words for edges that are not the least doubtful: those of DOUBTS, by the same places. */
const DROPPED_FOR: readonly (Exclude<Doubt, 'none'> | undefined)[] = DOUBTS.map((doubt) =>
  doubt === 'none' ? undefined : doubt,
)

/** The worst of an edge's doubts, as its place in DOUBTS. */
function doubtOf(standing: Standing, { family, avoided }: ChoiceQuery): number {
  const { edge, doubt, reach } = standing
  if (family !== undefined && !edge.families[family]) return DOUBT['address-family']
  if (reach !== undefined && isUnreachable(reach, family)) return DOUBT.unreachable
  const place = DOUBT[doubt]
  return edge.id === avoided ? Math.max(DOUBT.avoided, place) : place
}

/** Where no family is known, in none. */
function isUnreachable(reach: EdgeReach, family: Family | undefined): boolean {
  if (family !== undefined) return reach[family] === 'unreachable'
  return (
    reach[4] !== 'reachable' && reach[6] !== 'reachable' && (reach[4] !== 'unknown' || reach[6] !== 'unknown')
  )
}

function candidateOf(standing: Standing, doubt: Doubt, query: ChoiceQuery): Candidate {
  const { edge, state, capacity, weight, overloaded, ramp } = standing
  return {
    id: edge.id,
    edge,
    state,
    doubt,
    capacity,
    weight,
    overloaded,
    ramp,
    utilisation: utilisationOf(standing, query),
    score: 0,
    reason: 'hash',
  }
}

export function utilisationOf(
  { edge, sentBitRate, connections }: Standing,
  { demand, nowMs }: ChoiceQuery,
): number {
  const expected = demand.sessionsOn(edge.index, nowMs)
  return utilisationBy(sentBitRate, connections, expected, edge.bandwidth, edge.connectionsMax)
}

/**
 * The larger of bandwidth (bits a second) and connections in use; what a report claims beyond reason counts as
 * UTILISATION_MAX. `expected`: sessions that the report does not show.
 */
export function utilisationBy(
  sentBitRate: number,
  connections: number,
  expected: number,
  bandwidth: number,
  connectionsMax: number,
): number {
  const bits = (sentBitRate + expected * SESSION_BIT_RATE) / bandwidth
  return Math.min(UTILISATION_MAX, Math.max(bits, (connections + expected) / connectionsMax))
}

/** What one session more adds to an edge's utilisation. */
export function sessionShareOf(edge: EdgeView): number {
  return Math.max(SESSION_BIT_RATE / edge.bandwidth, 1 / edge.connectionsMax)
}
