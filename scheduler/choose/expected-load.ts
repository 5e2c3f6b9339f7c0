// The sessions that this scheduler has sent to each edge (or site, or of each property) and that no report can show yet.
// Each counts in full when it is assigned and fades while the edges' reports take it up. Bounded by what is configured.
import { EXPECTED_DECAY_MS } from '../limits.ts'
import { ForwardDecay } from './forward-decay.ts'

/** Of a session so little is none. */
const FADED_SESSIONS = 1e-9

export class ExpectedLoad {
  readonly #grown: Float64Array
  #decay = new ForwardDecay(EXPECTED_DECAY_MS)

  constructor(edges: number) {
    this.#grown = new Float64Array(edges)
  }

  /** The same for changed places; `before`: where each was here, if it was. */
  movedTo(before: readonly (number | undefined)[]): ExpectedLoad {
    const moved = new ExpectedLoad(before.length)
    for (const [place, was] of before.entries()) {
      if (was !== undefined) moved.#grown[place] = this.#grown[was] ?? 0
    }
    moved.#decay = this.#decay.copy()
    return moved
  }

  note(edgeIndex: number, nowMs: number): void {
    const factor = this.#decay.factorAt(nowMs, this.#grown)
    this.#grown[edgeIndex] = (this.#grown[edgeIndex] ?? 0) + 1 / factor
  }

  /** 0 for an edge that is not among them, and for one to which nobody was sent for long. */
  sessionsOn(edgeIndex: number, nowMs: number): number {
    const factor = this.#decay.factorAt(nowMs, this.#grown)
    const sessions = (this.#grown[edgeIndex] ?? 0) * factor
    return sessions < FADED_SESSIONS ? 0 : sessions
  }
}
