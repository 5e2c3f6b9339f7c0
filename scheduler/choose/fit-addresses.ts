// The addresses of a site's fit edges in one family, octets side by side as FitFigures has their figures: an answer over
// DNS copies a few of them, and waits for memory more than for anything else.
import type { Family } from '../health/reachability.ts'
import type { Standing } from './standing.ts'

const OCTETS = { 4: 4, 6: 16 } as const

/** Edges are asked for by their place among the fit ones. */
export class FitAddresses {
  readonly #each: number
  #octets = new Uint8Array(0)
  /** Where those of each edge begin, and behind the last. */
  #from = new Int32Array(1)

  constructor(family: Family) {
    this.#each = OCTETS[family]
  }

  /** In place of those before, in the same memory where they fit. */
  take(fit: readonly Standing[], family: Family): void {
    const count = fit.reduce((sum, { edge }) => sum + edge.addressData[family].length, 0)
    if (this.#octets.length < count * this.#each) this.#octets = new Uint8Array(count * this.#each)
    if (this.#from.length <= fit.length) this.#from = new Int32Array(fit.length + 1)
    let at = 0
    fit.forEach(({ edge }, place) => {
      this.#from[place] = at
      for (const data of edge.addressData[family]) {
        this.#octets.set(data, at)
        at += data.length
      }
    })
    this.#from[fit.length] = at
  }

  /** Those of one edge into `out` from `at` on, no further than `end`. Gives where they end. */
  copy(place: number, out: Uint8Array, at: number, end: number): number {
    const from = this.#from[place] ?? 0
    const count = Math.min((this.#from[place + 1] ?? from) - from, end - at)
    for (let i = 0; i < count; i += 1) out[at + i] = this.#octets[from + i] ?? 0
    return at + count
  }
}
