// Outages of reports alone: most edges are not heard of for a while, and serve all the same. Whoever comes back must be
// to every scheduler as if it had never been away, however much later than the first.
import type { Snapshot } from '../../scheduler/snapshot.ts'
import { isTroubled } from './fleet.ts'
import type { SimEdge } from './fleet.ts'
import type { SimScheduler } from './sim-scheduler.ts'
import type { Violations } from './violations.ts'

/** An edge whose last trouble is over for so long was heard of before the outage. */
const HEARD_AFTER_MS = 5000
/** After the outage all are heard again: a report a second that may be lost, and what it takes to another scheduler. */
const ALL_BACK_MS = 4000

interface Outage {
  readonly beganMs: number
  /** Nothing else was wrong with them. */
  readonly edges: readonly SimEdge[]
  /** Of each scheduler when it began. */
  readonly before: readonly Snapshot[]
  endedMs: number
}

export class Outages {
  readonly #schedulers: readonly SimScheduler[]
  readonly #violations: Violations
  #now: Outage | null = null
  /** Edges that came back from one, by all schedulers. */
  returned = 0

  constructor(schedulers: readonly SimScheduler[], violations: Violations) {
    this.#schedulers = schedulers
    this.#violations = violations
  }

  /** Before anything is wrong with them. */
  begin(edges: readonly SimEdge[], nowMs: number): void {
    this.#now = {
      beganMs: nowMs,
      edges: edges.filter((edge) => !isTroubled(edge) && nowMs - edge.changedMs > HEARD_AFTER_MS),
      before: this.#schedulers.map(({ snapshot }) => snapshot),
      endedMs: Infinity,
    }
  }

  /** While it is still all that is wrong with them. */
  end(nowMs: number): void {
    const outage = this.#now
    if (outage === null) return
    const edges = outage.edges.filter(({ changedMs }) => changedMs === outage.beganMs)
    this.#now = { ...outage, edges, endedMs: nowMs }
  }

  look(nowMs: number): void {
    const outage = this.#now
    if (outage === null || nowMs < outage.endedMs + ALL_BACK_MS) return
    this.#now = null
    for (const edge of outage.edges) {
      if (edge.changedMs !== outage.endedMs) continue
      this.returned += 1
      for (const [i, scheduler] of this.#schedulers.entries())
        this.#check(edge, scheduler, outage.before[i], nowMs)
    }
  }

  #check(
    { view }: SimEdge,
    { name, snapshot }: SimScheduler,
    before: Snapshot | undefined,
    nowMs: number,
  ): void {
    const [was, is] = [before?.health[view.index], snapshot.health[view.index]]
    if (is?.returnedAtMs === was?.returnedAtMs) return
    this.#violations.add(
      'ramped',
      nowMs,
      () => `${view.id} was only not heard of, and ramps up by scheduler ${name}`,
    )
  }
}
