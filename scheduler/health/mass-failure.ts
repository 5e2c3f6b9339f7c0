// The panic rule, for one kind of evidence: when more than half of what was good turns bad at once, the evidence is
// more likely wrong than the fleet gone (a cut network, a stalled process, a bad rule in a firewall), and what turned
// bad is held as it was. The hold is over when enough is good again; since all that was cut off never comes back in one
// moment, those still bad are held for PANIC_LATE_MS more. After PANIC_HOLD_MAX_MS it is believed of all for whom no
// other kind of evidence speaks.
import {
  PANIC_AT_LEAST,
  PANIC_BELOW,
  PANIC_FROM,
  PANIC_HOLD_MAX_MS,
  PANIC_LATE_MS,
  PANIC_TOGETHER_MS,
} from '../limits.ts'

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

interface RunningHold extends Hold {
  /** Since when enough is good again: who turned bad later is no part of it. Infinity: too few are good. */
  readonly overSinceMs: number
}

/** How many are lost. */
interface Share {
  /** So many that the evidence is not believed. */
  readonly isMass: boolean
  /** So few that it is. */
  readonly isFew: boolean
}

/** recovered: nothing is held any more, and who is bad still is believed to be. */
export type MassFailureChange = 'begins' | 'recovered' | 'believed'

export class MassFailureGate {
  /** When each member was last good. */
  readonly #goodAtMs: Float64Array
  readonly #atLeast: number
  #hold: RunningHold | null = null

  /** `atLeast`: fewer that are lost are no mass. */
  constructor(members: number, atLeast = PANIC_AT_LEAST) {
    this.#atLeast = atLeast
    this.#goodAtMs = new Float64Array(members).fill(-Infinity)
  }

  /** null: nothing is held. */
  get hold(): Hold | null {
    return this.#hold
  }

  /**
   * Takes what was found of every member now; says when a hold begins or ends. Asked at each snapshot: while nothing is
   * held it only counts.
   */
  judge(findings: readonly Finding[], nowMs: number): MassFailureChange | null {
    const hold = this.#hold
    // While too few are good, of those that were when it began: also of one that was excepted for a while.
    const sinceMs = hold === null || hold.overSinceMs !== Infinity ? nowMs : hold.sinceMs
    const { known, lost } = this.#take(findings, sinceMs - PANIC_TOGETHER_MS, nowMs)
    const isMass = lost >= this.#atLeast && lost > known * PANIC_FROM
    if (hold !== null)
      return this.#goOn(hold, findings, { isMass, isFew: lost <= known * PANIC_BELOW }, nowMs)
    if (!isMass) return null
    this.#hold = { sinceMs, overSinceMs: Infinity, held: this.#lostOf(findings, sinceMs, Infinity) }
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
    moved.#hold = this.#hold === null ? null : { ...this.#hold, held }
    return moved
  }

  #goOn(
    { sinceMs, overSinceMs: wasOverSinceMs }: RunningHold,
    findings: readonly Finding[],
    share: Share,
    nowMs: number,
  ): MassFailureChange | null {
    const overSinceMs = overSince(wasOverSinceMs, share, nowMs)
    const hold = { sinceMs, overSinceMs, held: this.#lostOf(findings, sinceMs, overSinceMs) }
    this.#hold = hold
    if (nowMs - sinceMs > PANIC_HOLD_MAX_MS && this.#believe(hold, findings)) return 'believed'
    if (hold.held.size > 0 && nowMs - overSinceMs <= PANIC_LATE_MS) return null
    this.#hold = null
    return 'recovered'
  }

  /** Gives whether there was anybody for whom nothing speaks. */
  #believe({ sinceMs, overSinceMs, held }: RunningHold, findings: readonly Finding[]): boolean {
    const vouched = new Set<number>()
    for (const member of held) {
      if (findings[member] === 'vouched') vouched.add(member)
      // It was not good lately: it does not begin the next hold.
      else this.#goodAtMs[member] = -Infinity
    }
    this.#hold = vouched.size === 0 ? null : { sinceMs, overSinceMs, held: vouched }
    return vouched.size < held.size
  }

  /** Counts those of whom something is found now and that were good since then. */
  #take(findings: readonly Finding[], fromMs: number, nowMs: number): { known: number; lost: number } {
    const goodAtMs = this.#goodAtMs
    let known = 0
    let lost = 0
    for (let member = 0; member < goodAtMs.length; member++) {
      const finding = findings[member]
      if (finding === 'good') {
        goodAtMs[member] = nowMs
        known += 1
      } else if (finding !== 'none' && (goodAtMs[member] ?? -Infinity) >= fromMs) {
        known += 1
        lost += 1
      }
    }
    return { known, lost }
  }

  /** Who is bad, was good when the hold began, and was bad before `untilMs`. */
  #lostOf(findings: readonly Finding[], sinceMs: number, untilMs: number): Set<number> {
    const lost = new Set<number>()
    for (const [member, goodAtMs] of this.#goodAtMs.entries()) {
      const isBad = findings[member] === 'bad' || findings[member] === 'vouched'
      if (isBad && goodAtMs >= sinceMs - PANIC_TOGETHER_MS && goodAtMs < untilMs) lost.add(member)
    }
    return lost
  }
}

/** Two shares, so that it does not come and go; what turns bad before the late ones are there may be a mass again. */
function overSince(wasMs: number, { isMass, isFew }: Share, nowMs: number): number {
  if (wasMs !== Infinity) return isMass ? Infinity : wasMs
  return isFew ? nowMs : Infinity
}
