// How each edge stands, whoever asks: what a decision reads of it in place of its report and its history. Worked out
// when an edge is asked for whose report, history or probes are others than before, or that time alone has changed.
import { DOWN_AFTER_MS, RAMP_STEP_MS, SUSPECT_AFTER_MS } from '../limits.ts'
import type { EdgeHealth } from '../health/edge-health.ts'
import { RANK, stateOf, suspicionOf, weightIn } from '../health/liveness.ts'
import type { EdgeState } from '../health/liveness.ts'
import { rampUpOf } from '../health/ramp-up.ts'
import type { EdgeReach } from '../health/reachability.ts'
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'
import type { Snapshot } from '../snapshot.ts'
import type { EdgeView, Topology } from '../topology.ts'
import type { Doubt } from './candidates.ts'

export interface Standing {
  readonly edge: EdgeView
  /** What it was made from. */
  readonly seen: SeenReport | undefined
  readonly health: EdgeHealth | undefined
  readonly reach: EdgeReach | undefined
  readonly state: EdgeState
  /** It takes clients, if only as a last resort. */
  readonly takesClients: boolean
  /** What speaks against it, leaving out what depends on the client. */
  readonly doubt: Extract<Doubt, 'none' | 'no-weight' | 'returning' | 'flapping' | 'silent'>
  /** Bits a second it can send as it fares. */
  readonly capacity: number
  /** Its share of the keys of its site. */
  readonly weight: number
  readonly overloaded: boolean
  /** The part of its fair share that it may have by now. */
  readonly ramp: number
  /** As it reports; 0 before it does. */
  readonly sentBitRate: number
  readonly connections: number
  /** Holds in this time. */
  readonly fromMs: number
  readonly untilMs: number
}

/** By `EdgeView.index`: from one snapshot to the next most edges stand as they stood. */
const kept = new WeakMap<Topology, (Standing | undefined)[]>()
let last: { topology: Topology; standings: (Standing | undefined)[] } | undefined

export function standingOf(edge: EdgeView, snapshot: Snapshot, nowMs: number): Standing {
  const { topology } = snapshot
  const standings = last?.topology === topology ? last.standings : standingsIn(topology)
  const standing = standings[edge.index]
  return standing !== undefined && holds(standing, snapshot, nowMs)
    ? standing
    : (standings[edge.index] = workOut(edge, snapshot, nowMs))
}

/** It was made from what the snapshot holds, and no time has come that changes it. */
function holds(
  { edge, seen, health, reach, fromMs, untilMs }: Standing,
  snapshot: Snapshot,
  nowMs: number,
): boolean {
  const { index } = edge
  if (seen !== snapshot.reports[index] || health !== snapshot.health[index]) return false
  return reach === snapshot.reach[index] && nowMs >= fromMs && nowMs < untilMs
}

function standingsIn(topology: Topology): (Standing | undefined)[] {
  const standings = kept.get(topology) ?? topology.edges.map(() => undefined)
  kept.set(topology, standings)
  last = { topology, standings }
  return standings
}

function workOut(edge: EdgeView, snapshot: Snapshot, nowMs: number): Standing {
  const seen = snapshot.reports[edge.index]
  const health = snapshot.health[edge.index]
  const state = stateOf(seen, nowMs, health)
  const suspicion = seen === undefined ? 'silent' : suspicionOf(ageOf(seen, nowMs), health, nowMs)
  const ramp = seen === undefined ? 1 : rampUpOf(seen, health, nowMs)
  // Where nothing but edges without weight is left, capacity weighs them.
  const weight = edge.weight === 0 ? edge.bandwidth : edge.weight
  return {
    edge,
    seen,
    health,
    reach: snapshot.reach[edge.index],
    state,
    takesClients: RANK[state] !== null,
    doubt: state === 'suspect' ? (suspicion ?? 'silent') : edge.weight === 0 ? 'no-weight' : 'none',
    capacity: weightIn(state, edge.bandwidth),
    weight: weightIn(state, weight) * (seen?.override?.weight ?? 1),
    overloaded: health?.overloaded ?? false,
    ramp,
    sentBitRate: seen?.report.sentBitRate ?? 0,
    connections: seen?.report.connections ?? 0,
    fromMs: nowMs,
    untilMs: Math.min(
      changeOf(seen, health?.dampedUntilMs, nowMs),
      ramp < 1 ? nowMs + RAMP_STEP_MS : Infinity,
    ),
  }
}

/** When its state changes next if nothing more is heard. */
function changeOf(seen: SeenReport | undefined, dampedUntilMs = -Infinity, nowMs: number): number {
  const damped = dampedUntilMs > nowMs ? dampedUntilMs : Infinity
  // Of a report that is held the age stands still.
  if (seen === undefined || seen.heldAtMs !== null) return damped
  for (const afterMs of [SUSPECT_AFTER_MS, DOWN_AFTER_MS]) {
    // It is older than that only behind the moment itself.
    const atMs = seen.receivedAtMs + afterMs
    if (nowMs <= atMs) return Math.min(damped, justAfter(atMs))
  }
  return damped
}

/** The next moment that a clock can show. */
function justAfter(ms: number): number {
  return ms + Math.max(Number.EPSILON * ms, Number.MIN_VALUE)
}
