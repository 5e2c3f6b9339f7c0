// A scheduler's probes of the simulated edges: paced and judged as health/probes.ts does, by its own parts, with
// answers that come from the fleet as it really is.
import { PROBE_AGAIN_MS, PROBE_TICK_MS } from '../../scheduler/limits.ts'
import { ProbeTurns } from '../../scheduler/health/probe-turns.ts'
import { afterProbe, REACH_UNKNOWN, UNTRIED } from '../../scheduler/health/reachability.ts'
import type { AddressReach, EdgeReach, Family } from '../../scheduler/health/reachability.ts'
import { serves } from './fleet.ts'
import type { SimEdge } from './fleet.ts'

export const PROBE_EVERY_MS = 2000
export const PROBE_TIMEOUT_MS = 1000

interface Target {
  readonly edge: SimEdge
  readonly family: Family
  address: AddressReach
  nextAtMs: number
  /** Of the probe under way; null when none is. */
  answer: { readonly atMs: number; readonly ok: boolean; readonly startedMs: number } | null
}

export class SimProber {
  reach: readonly EdgeReach[]
  readonly #targets: readonly Target[]
  readonly #turns: ProbeTurns<Target>
  #tickMs = 0

  constructor(fleet: readonly SimEdge[]) {
    this.reach = fleet.map(() => REACH_UNKNOWN)
    const targets = fleet.flatMap((edge) =>
      ([4, 6] as const).filter((family) => edge.view.families[family]).map((family) => ({ edge, family })),
    )
    this.#targets = targets.map(({ edge, family }, i) => ({
      edge,
      family,
      address: UNTRIED,
      nextAtMs: (PROBE_EVERY_MS * i) / targets.length,
      answer: null,
    }))
    this.#turns = new ProbeTurns(this.#targets)
  }

  /** Says whether any verdict changed. */
  advance(nowMs: number): boolean {
    if (nowMs < this.#tickMs + PROBE_TICK_MS) return false
    this.#tickMs = nowMs
    let changed = false
    for (const target of this.#targets) if (this.#take(target, nowMs)) changed = true
    const due = this.#turns.next(({ answer, nextAtMs }) => answer === null && nextAtMs <= nowMs)
    for (const target of due) {
      const ok = serves(target.edge, target.family)
      const atMs = nowMs + (ok ? target.edge.delayMs : PROBE_TIMEOUT_MS)
      target.answer = { atMs, ok, startedMs: nowMs }
    }
    return changed
  }

  #take(target: Target, nowMs: number): boolean {
    const { answer, address: before, edge, family } = target
    if (answer === null || answer.atMs > nowMs) return false
    target.answer = null
    target.address = afterProbe(before, answer.ok ? 'ok' : 'timeout')
    const doubtful = target.address.contrary > 0 || target.address.reach === 'unreachable'
    target.nextAtMs = answer.startedMs + (doubtful ? PROBE_AGAIN_MS : PROBE_EVERY_MS)
    if (target.address.reach === before.reach) return false
    const { index } = edge.view
    // One address a family: its verdict is the family's.
    this.reach = this.reach.with(index, {
      ...(this.reach[index] ?? REACH_UNKNOWN),
      [family]: target.address.reach,
    })
    return true
  }
}
