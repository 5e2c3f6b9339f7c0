// A region that comes and goes: how many sessions each of its cuts breaks off. Where flaps are damped, the later ones
// break off hardly any, since few clients were sent there in between.
import type { SimEdge } from './fleet.ts'
import type { Script, ScriptEvent } from './script.ts'
import type { Violations } from './violations.ts'

/** From this cut on, only so small a part of what the first one broke off. */
const DAMPED_FROM_CUT = 5
const DAMPED_TO = 0.1

export interface Flaps {
  readonly event: ScriptEvent
  /** Sessions broken off by each cut. */
  readonly broken: number[]
}

export class Flapping {
  readonly flaps: readonly Flaps[]
  readonly #violations: Violations

  constructor({ events }: Script, violations: Violations) {
    this.flaps = events.filter(({ kind }) => kind === 'region-flap').map((event) => ({ event, broken: [] }))
    this.#violations = violations
  }

  cut(edges: readonly SimEdge[], sessions: number, nowMs: number): void {
    const [edge] = edges
    const flaps = this.flaps.find(
      ({ event }) =>
        edge !== undefined && event.cities.has(edge.city) && nowMs >= event.atMs && nowMs <= event.endMs,
    )
    flaps?.broken.push(sessions)
  }

  check(): void {
    for (const { event, broken } of this.flaps) {
      const late = Math.max(0, ...broken.slice(DAMPED_FROM_CUT - 1))
      if (late <= DAMPED_TO * (broken[0] ?? 0)) continue
      this.#violations.add(
        'flapping',
        event.endMs,
        () => `${event.what}: cuts broke off ${broken.join(', ')} sessions`,
      )
    }
  }
}
