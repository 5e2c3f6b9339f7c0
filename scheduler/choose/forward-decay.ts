// Counts that fade, all of them by one factor (forward decay: Cormode and others, 2009): what comes counts the more the
// later it comes, and all are read by one factor that falls. So whoever reads or compares a hundred of them takes one
// exponential, and none where only their order matters.

/** Numbers are written anew, with a later landmark, before they grow past what a double holds exactly enough. */
const REBASE_DECAYS = 50

export class ForwardDecay {
  readonly #decayMs: number
  #landmarkMs = 0
  #latestMs = 0
  #factor = 1

  /** What is counted falls to 1/e of itself in `decayMs`. */
  constructor(decayMs: number) {
    this.#decayMs = decayMs
  }

  /** One where this one is. */
  copy(): ForwardDecay {
    const copy = new ForwardDecay(this.#decayMs)
    copy.#landmarkMs = this.#landmarkMs
    copy.#latestMs = this.#latestMs
    copy.#factor = this.#factor
    return copy
  }

  /**
   * What a number among `grown` is worth now; one that comes now adds 1 divided by it. Time stands still for those who
   * come late. Always the same `grown`: now and then it is written anew.
   */
  factorAt(nowMs: number, grown: Float64Array): number {
    return nowMs <= this.#latestMs ? this.#factor : this.#advance(nowMs, grown)
  }

  #advance(nowMs: number, grown: Float64Array): number {
    this.#latestMs = nowMs
    this.#factor = Math.exp((this.#landmarkMs - nowMs) / this.#decayMs)
    if (nowMs - this.#landmarkMs >= REBASE_DECAYS * this.#decayMs) {
      for (let i = 0; i < grown.length; i++) grown[i] = (grown[i] ?? 0) * this.#factor
      this.#landmarkMs = nowMs
      this.#factor = 1
    }
    return this.#factor
  }
}
