// The panic rule, for one kind of evidence: when more than half of what was good turns bad at once, the evidence is
// more likely wrong than the fleet gone (a cut network, a stalled process, a bad rule in a firewall), and what turned
// bad is held as it was. The hold ends when enough is good again, or after PANIC_HOLD_MAX_MS: then it is believed of all
// for whom no other kind of evidence speaks.
import { PANIC_AT_LEAST, PANIC_BELOW, PANIC_FROM, PANIC_HOLD_MAX_MS, PANIC_TOGETHER_MS } from '../limits.ts'

/**
 * vouched: bad, but another kind of evidence says otherwise. none: says nothing either way, such as an edge that an
 * operator took out.
 */
export type Finding = 'good' | 'bad' | 'vouched' | 'none'

export interface Hold {
  /** Monotonic. */
  readonly sinceMs: number
  /** Members that are held as they were. */
  readonly held: ReadonlySet<number>
}

export type MassFailureChange = 'begins' | 'recovered' | 'believed'

export class MassFailureGate {
  /** When each member was last good. */
  readonly #goodAtMs: Float64Array
  readonly #atLeast: number
  #hold: { sinceMs: number; held: Set<number> } | null = null

  /** `atLeast`: fewer that are lost are no mass. */
  constructor(members: number, atLeast = PANIC_AT_LEAST) {
    this.#atLeast = atLeast
    this.#goodAtMs = new Float64Array(members).fill(-Infinity)
  }

  /** null: nothing is held. */
  get hold(): Hold | null {
    return this.#hold
  }

  /** Takes what was found of every member now; says when a hold begins or ends. */
  judge(findingOf: (member: number) => Finding, nowMs: number): MassFailureChange | null {
    const lost: number[] = []
    const vouched = new Set<number>()
    let recent = 0
    // In a hold, those that were good when it began: also one that was excepted from it for a while.
    const goodSinceMs = (this.#hold?.sinceMs ?? nowMs) - PANIC_TOGETHER_MS
    for (let member = 0; member < this.#goodAtMs.length; member++) {
      const finding = findingOf(member)
      if (finding === 'good') this.#goodAtMs[member] = nowMs
      const goodAtMs = this.#goodAtMs[member] ?? -Infinity
      if (finding === 'none' || goodAtMs < goodSinceMs) continue
      recent += 1
      if (finding !== 'good') lost.push(member)
      if (finding === 'vouched') vouched.add(member)
    }
    if (this.#hold !== null && nowMs - this.#hold.sinceMs > PANIC_HOLD_MAX_MS && lost.length > vouched.size) {
      return this.#believe(this.#hold.sinceMs, lost, vouched)
    }
    if (this.#hold !== null) return this.#goOn(this.#hold.sinceMs, lost, recent)
    if (lost.length < this.#atLeast || lost.length <= recent * PANIC_FROM) return null
    this.#hold = { sinceMs: nowMs, held: new Set(lost) }
    return 'begins'
  }

  /** The same gate for the members of a changed fleet; `before`: where each was in this one. */
  movedTo(before: readonly (number | undefined)[]): MassFailureGate {
    const moved = new MassFailureGate(before.length, this.#atLeast)
    const held = new Set<number>()
    for (const [member, was] of before.entries()) {
      if (was === undefined) continue
      moved.#goodAtMs[member] = this.#goodAtMs[was] ?? -Infinity
      if (this.#hold?.held.has(was) === true) held.add(member)
    }
    moved.#hold = this.#hold === null ? null : { sinceMs: this.#hold.sinceMs, held }
    return moved
  }

  #goOn(sinceMs: number, lost: readonly number[], recent: number): MassFailureChange | null {
    if (lost.length <= recent * PANIC_BELOW) {
      this.#hold = null
      return 'recovered'
    }
    this.#hold = { sinceMs, held: new Set(lost) }
    return null
  }

  #believe(sinceMs: number, lost: readonly number[], vouched: Set<number>): MassFailureChange {
    this.#hold = vouched.size === 0 ? null : { sinceMs, held: vouched }
    // None of them was good lately: they do not begin the next hold.
    for (const member of lost) if (!vouched.has(member)) this.#goodAtMs[member] = -Infinity
    return 'believed'
  }
}
