// What must never be, and where it was seen: every time is counted, the first few of each rule are told in full.

/**
 * dead-edge: sent to an edge past its liveness bound. draining-edge: to one that takes no new client. unfit-edge: to one
 * that may not serve the property or the client. not-nearest: past a nearer site without a reason on record.
 * empty-answer: turned away while an edge could serve. imbalance: a calm, loaded site above GINI_MAX. scattered: cold
 * assets on many edges. crowding: one that a crowd comes to is on no more, or stays on them afterwards. flapping: an
 * edge that comes and goes keeps getting clients. ramped: one that was not heard of with most others, and served all the
 * time, is treated as if it had been away.
 */
export const RULES = [
  'dead-edge',
  'draining-edge',
  'unfit-edge',
  'not-nearest',
  'empty-answer',
  'imbalance',
  'scattered',
  'crowding',
  'flapping',
  'ramped',
] as const
export type Rule = (typeof RULES)[number]

const TOLD_MAX = 3

export interface Violation {
  readonly rule: Rule
  /** Of the simulation. */
  readonly atMs: number
  readonly text: string
}

export class Violations {
  readonly told: Violation[] = []
  readonly counts = new Map<Rule, number>()

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }

  add(rule: Rule, atMs: number, textOf: () => string): void {
    const count = (this.counts.get(rule) ?? 0) + 1
    this.counts.set(rule, count)
    if (count <= TOLD_MAX) this.told.push({ rule, atMs, text: textOf() })
  }
}
