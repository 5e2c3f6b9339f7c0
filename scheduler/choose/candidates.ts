// Which of some edges may take this client: hard rules drop an edge, doubts make it a last resort, and of those that
// are left only the least doubtful stay. Each edge that falls out keeps the word of what dropped it.
import { SESSION_BIT_RATE, UTILISATION_MAX } from '../limits.ts'
import { RANK, stateOf, suspicionOf, weightIn } from '../health/liveness.ts'
import type { EdgeState, Suspicion } from '../health/liveness.ts'
import { rampUpOf } from '../health/ramp-up.ts'
import { ageOf } from '../registry/registry.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { Snapshot } from '../snapshot.ts'
import type { EdgeView, PropertyView } from '../topology.ts'
import type { Demand } from './demand.ts'
import type { Claim, Hash64 } from './rendezvous.ts'

/** What a choice is made for, and from. */
export interface ChoiceQuery {
  readonly snapshot: Snapshot
  readonly demand: Demand
  readonly nowMs: number
  readonly property: PropertyView
  readonly client: IpAddress | undefined
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

export type DropReason = 'down' | 'draining' | 'capability' | 'not-pinned-here' | Exclude<Doubt, 'none'>

export interface DroppedEdge {
  readonly edge: EdgeView
  readonly reason: DropReason
}

/** Why an edge stands where it does among those of its site. */
/** overloaded: over its own limit, whatever the others carry. */
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
  let least: number = DOUBTS.length
  let load = 0
  let room = 0
  for (const edge of edges) {
    const state = stateOfEdge(edge, query)
    if (dropReasonOf(edge, state, query) !== null) continue
    const doubt = doubtOf(edge, state, query)
    if (doubt > least) continue
    if (doubt < least) {
      least = doubt
      load = 0
      room = 0
    }
    load += utilisationOf(edge, query) * edge.bandwidth
    room += weightIn(state, edge.bandwidth) * rampOf(edge, query)
  }
  return { doubt: least, load, room }
}

/** Those of the least doubt, and why each of the others is not among them. */
export function fitEdgesOf(edges: readonly EdgeView[], query: ChoiceQuery): FitEdges {
  const { doubt: least } = totalsOf(edges, query)
  const candidates: Candidate[] = []
  const dropped: DroppedEdge[] = []
  for (const edge of edges) {
    const state = stateOfEdge(edge, query)
    const reason = dropReasonOf(edge, state, query)
    const doubt = DOUBTS[reason === null ? doubtOf(edge, state, query) : least] ?? 'none'
    if (reason !== null) dropped.push({ edge, reason })
    else if (doubt === DOUBTS[least]) candidates.push(candidateOf(edge, state, doubt, query))
    else if (doubt !== 'none') dropped.push({ edge, reason: doubt })
  }
  return { candidates, dropped }
}

function dropReasonOf(
  edge: EdgeView,
  state: EdgeState,
  query: ChoiceQuery,
): Exclude<DropReason, Doubt> | null {
  if (RANK[state] === null) return state === 'draining' ? 'draining' : 'down'
  return mismatchOf(edge, query)
}

/** Why it may not serve this property to this client, however it fares; null: it may. */
export function mismatchOf(
  edge: EdgeView,
  { property, client }: ChoiceQuery,
): 'capability' | 'not-pinned-here' | null {
  for (const label of property.capabilities) if (!edge.capabilities.has(label)) return 'capability'
  if (edge.pinned === null) return null
  return client !== undefined && edge.pinned.find(client) !== undefined ? null : 'not-pinned-here'
}

function stateOfEdge(edge: EdgeView, { snapshot, nowMs }: ChoiceQuery): EdgeState {
  return stateOf(snapshot.reports[edge.index], nowMs, snapshot.health[edge.index])
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

/** The worst of an edge's doubts, as its place in DOUBTS. */
function doubtOf(edge: EdgeView, state: EdgeState, query: ChoiceQuery): number {
  const { client, avoided } = query
  if (client !== undefined && !edge.families[client.family]) return DOUBT['address-family']
  if (isUnreachable(edge, query)) return DOUBT.unreachable
  if (RANK[state] === 1) return DOUBT[suspicionOfEdge(edge, query)]
  if (edge.id === avoided) return DOUBT.avoided
  return edge.weight === 0 ? DOUBT['no-weight'] : DOUBT.none
}

/** In the family that the client came by; where that is not known, in none. */
function isUnreachable(edge: EdgeView, { client, snapshot }: ChoiceQuery): boolean {
  const reach = snapshot.reach[edge.index]
  if (reach === undefined) return false
  if (client !== undefined) return reach[client.family] === 'unreachable'
  return (
    reach[4] !== 'reachable' && reach[6] !== 'reachable' && (reach[4] !== 'unknown' || reach[6] !== 'unknown')
  )
}

function suspicionOfEdge(edge: EdgeView, { snapshot, nowMs }: ChoiceQuery): Suspicion {
  const seen = snapshot.reports[edge.index]
  return (seen && suspicionOf(ageOf(seen, nowMs), snapshot.health[edge.index], nowMs)) ?? 'silent'
}

function candidateOf(edge: EdgeView, state: EdgeState, doubt: Doubt, query: ChoiceQuery): Candidate {
  const seen = query.snapshot.reports[edge.index]
  // Where nothing but edges without weight is left, capacity weighs them.
  const weight = edge.weight === 0 ? edge.bandwidth : edge.weight
  return {
    id: edge.id,
    edge,
    state,
    doubt,
    capacity: weightIn(state, edge.bandwidth),
    weight: weightIn(state, weight) * (seen?.override?.weight ?? 1),
    overloaded: query.snapshot.health[edge.index]?.overloaded ?? false,
    ramp: rampOf(edge, query),
    utilisation: utilisationOf(edge, query),
    score: 0,
    reason: 'hash',
  }
}

function rampOf(edge: EdgeView, { snapshot, nowMs }: ChoiceQuery): number {
  const seen = snapshot.reports[edge.index]
  return seen === undefined ? 1 : rampUpOf(seen, snapshot.health[edge.index], nowMs)
}

/** The larger of bandwidth and connections in use; what a report claims beyond reason counts as UTILISATION_MAX. */
function utilisationOf(edge: EdgeView, { snapshot, demand, nowMs }: ChoiceQuery): number {
  const report = snapshot.reports[edge.index]?.report
  if (report === undefined) return 0
  const { sentBitRate, connections } = report
  const expected = demand.sessionsOn(edge, nowMs)
  const bits = (sentBitRate + expected * SESSION_BIT_RATE) / edge.bandwidth
  return Math.min(UTILISATION_MAX, Math.max(bits, (connections + expected) / edge.connectionsMax))
}

/** What one session more adds to an edge's utilisation. */
export function sessionShareOf(edge: EdgeView): number {
  return Math.max(SESSION_BIT_RATE / edge.bandwidth, 1 / edge.connectionsMax)
}
