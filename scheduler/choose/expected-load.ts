// The sessions that this scheduler has sent to each edge (or site, or of each property) and that no report can show yet.
// Each counts in full when it is assigned and fades while the edges' reports take it up. Bounded by what is configured.
import { EXPECTED_DECAY_MS } from '../limits.ts'

/** Numbers are written anew, with a later landmark, before they grow past what a double holds exactly enough. */
const REBASE_MS = 50 * EXPECTED_DECAY_MS

/**
 * Forward decay (Cormode and others, 2009): a session counts more the later it comes, and all are read by one factor
 * that falls. So a decision that looks at a hundred edges takes one exponential.
 */
export class ExpectedLoad {
  readonly #grown: Float64Array
  #landmarkMs = 0
  #latestMs = 0
  #factor = 1

  constructor(edges: number) {
    this.#grown = new Float64Array(edges)
  }

  /** The same for changed places; `before`: where each was here, if it was. */
  movedTo(before: readonly (number | undefined)[]): ExpectedLoad {
    const moved = new ExpectedLoad(before.length)
    for (const [place, was] of before.entries()) {
      if (was !== undefined) moved.#grown[place] = this.#grown[was] ?? 0
    }
    moved.#landmarkMs = this.#landmarkMs
    moved.#latestMs = this.#latestMs
    moved.#factor = this.#factor
    return moved
  }

  note(edgeIndex: number, nowMs: number): void {
    this.#advance(nowMs)
    this.#grown[edgeIndex] = (this.#grown[edgeIndex] ?? 0) + 1 / this.#factor
  }

  /** 0 for an edge that is not among them. */
  sessionsOn(edgeIndex: number, nowMs: number): number {
    const grown = this.#grown[edgeIndex] ?? 0
    if (grown === 0) return 0
    this.#advance(nowMs)
    return (this.#grown[edgeIndex] ?? 0) * this.#factor
  }

  /** Time stands still for those who come late. */
  #advance(nowMs: number): void {
    if (nowMs <= this.#latestMs) return
    this.#latestMs = nowMs
    this.#factor = Math.exp((this.#landmarkMs - nowMs) / EXPECTED_DECAY_MS)
    if (nowMs - this.#landmarkMs < REBASE_MS) return
    for (let i = 0; i < this.#grown.length; i++) this.#grown[i] = (this.#grown[i] ?? 0) * this.#factor
    this.#landmarkMs = nowMs
    this.#factor = 1
  }
}
