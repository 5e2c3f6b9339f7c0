// How each edge stands as one that others pull from: what tiers are made of.
import { stateOf, weightIn, RANK } from '../health/liveness.ts'
import type { Snapshot } from '../snapshot.ts'
import type { EdgeView } from '../topology.ts'

export interface Filler {
  /** last: where no better edge is left, since it may be gone. never: pinned, without weight, draining or down. */
  readonly fit: 'first' | 'last' | 'never'
  /** Its share among the edges of a tier. */
  readonly weight: number
  /** It may ask others itself. */
  readonly isAlive: boolean
}

export const NO_FILLER: Filler = { fit: 'never', weight: 0, isAlive: false }

export function fillerOf(edge: EdgeView, { reports, health }: Snapshot, nowMs: number): Filler {
  const seen = reports[edge.index]
  const state = stateOf(seen, nowMs, health[edge.index])
  const rank = RANK[state]
  const weight = weightIn(state, edge.weight) * (seen?.override?.weight ?? 1)
  const isUnfit = rank === null || weight === 0 || edge.pinned !== null
  return { fit: isUnfit ? 'never' : rank === 0 ? 'first' : 'last', weight, isAlive: state !== 'down' }
}

export function isSameFiller(one: Filler, other: Filler): boolean {
  return one.fit === other.fit && one.weight === other.weight && one.isAlive === other.isAlive
}
