// Whose turn it is to be probed, where more are due than may begin in a tick. What is in doubt goes first: one probe
// more decides where players are sent. Either kind keeps half of the tick while the other wants more, and within
// each the turn goes round. For probes.ts, and for the simulation, which has edges of its own.
import { PROBE_TICK_MS, PROBES_PER_SECOND_MAX } from '../limits.ts'
import type { AddressReach } from './reachability.ts'

const PROBES_PER_TICK = (PROBES_PER_SECOND_MAX * PROBE_TICK_MS) / 1000

export class ProbeTurns<Target extends { readonly address: AddressReach }> {
  readonly #targets: readonly Target[]
  /** Index of whose turn was last. */
  #last = { doubtful: -1, settled: -1 }

  constructor(targets: readonly Target[]) {
    this.#targets = targets
  }

  /** Those whose probes begin now. Each tick asks once. */
  next(isDue: (target: Target) => boolean): readonly Target[] {
    const doubtful: number[] = []
    const settled: number[] = []
    for (const [index, target] of this.#targets.entries()) {
      if (isDue(target)) (target.address.contrary > 0 ? doubtful : settled).push(index)
    }
    const ofDoubtful = Math.max(PROBES_PER_TICK / 2, PROBES_PER_TICK - settled.length)
    const first = fromTurn(doubtful, this.#last.doubtful, ofDoubtful)
    const then = fromTurn(settled, this.#last.settled, PROBES_PER_TICK - first.length)
    this.#last = {
      doubtful: first.at(-1) ?? this.#last.doubtful,
      settled: then.at(-1) ?? this.#last.settled,
    }
    return [...first, ...then].flatMap((index) => this.#targets[index] ?? [])
  }
}

/** At most `max` of ascending indexes, the first after `last`, and from the start again. */
function fromTurn(due: readonly number[], last: number, max: number): readonly number[] {
  const turn = Math.max(
    0,
    due.findIndex((index) => index > last),
  )
  return [...due.slice(turn), ...due.slice(0, turn)].slice(0, max)
}
