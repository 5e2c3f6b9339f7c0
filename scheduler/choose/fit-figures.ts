// The fit edges of a site as numbers side by side, in place of objects all over the heap: a decision looks at each of
// them, and waits for memory more than for anything else.
import { scoreOfUnit, unitOfWords } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import type { EdgeView } from '../topology.ts'
import { sessionShareOf, utilisationBy } from './candidates.ts'
import { isBeyondShare } from './edges.ts'
import type { Standing } from './standing.ts'

/** Of each edge, in these places: one line of the processor's cache. */
const STRIDE = 8
const BANDWIDTH = 0
const CONNECTIONS_MAX = 1
const SESSION_SHARE = 2
const SENT_BIT_RATE = 3
const CONNECTIONS = 4
const WEIGHT = 5
const RAMP = 6
const OVERLOADED = 7

/** Edges are asked for by their place among the fit ones. */
export class FitFigures {
  #edges: readonly EdgeView[] = []
  /** `EdgeView.index` of each. */
  #indexes = new Int32Array(0)
  /** High word and low word of each edge's hash. */
  #hashes = new Int32Array(0)
  #numbers = new Float64Array(0)
  /** 1 for those that are above their share of what they reported, whatever was sent there since. */
  #reportedOver = new Uint8Array(0)

  get count(): number {
    return this.#edges.length
  }

  /** In place of those before, in the same memory where they fit. The site's load is that which they report. */
  take(fit: readonly Standing[], siteLoad: number, siteWeight: number): void {
    if (this.#indexes.length < fit.length) {
      this.#indexes = new Int32Array(fit.length)
      this.#hashes = new Int32Array(2 * fit.length)
      this.#numbers = new Float64Array(STRIDE * fit.length)
      this.#reportedOver = new Uint8Array(fit.length)
    }
    this.#edges = fit.map(({ edge }) => edge)
    fit.forEach((standing, place) => this.#put(place, standing))
    for (let i = 0; i < fit.length; i++) {
      this.#reportedOver[i] = this.isOverShare(i, this.utilisation(i, 0), siteLoad, siteWeight) ? 1 : 0
    }
  }

  #put(place: number, { edge, sentBitRate, connections, weight, ramp, overloaded }: Standing): void {
    this.#indexes[place] = edge.index
    this.#hashes[2 * place] = edge.hash.hi
    this.#hashes[2 * place + 1] = edge.hash.lo
    const at = STRIDE * place
    this.#numbers[at + BANDWIDTH] = edge.bandwidth
    this.#numbers[at + CONNECTIONS_MAX] = edge.connectionsMax
    this.#numbers[at + SESSION_SHARE] = sessionShareOf(edge)
    this.#numbers[at + SENT_BIT_RATE] = sentBitRate
    this.#numbers[at + CONNECTIONS] = connections
    this.#numbers[at + WEIGHT] = weight
    this.#numbers[at + RAMP] = ramp
    this.#numbers[at + OVERLOADED] = overloaded ? 1 : 0
  }

  edge(place: number): EdgeView | undefined {
    return this.#edges[place]
  }

  /** `EdgeView.index`. */
  index(place: number): number {
    return this.#indexes[place] ?? -1
  }

  /** Its claim on the key; see scoreOf. */
  score(place: number, key: Hash64): number {
    return scoreOfUnit(this.unit(place, key), this.#number(place, WEIGHT))
  }

  /** In the order of scores where all have one weight. */
  unit(place: number, { hi, lo }: Hash64): number {
    return unitOfWords(hi, lo, this.#hashes[2 * place] ?? 0, this.#hashes[2 * place + 1] ?? 0)
  }

  isOverloaded(place: number): boolean {
    return this.#number(place, OVERLOADED) === 1
  }

  bandwidth(place: number): number {
    return this.#number(place, BANDWIDTH)
  }

  /** With the sessions that its report does not show. */
  utilisation(place: number, expected: number): number {
    return utilisationBy(
      this.#number(place, SENT_BIT_RATE),
      this.#number(place, CONNECTIONS),
      expected,
      this.#number(place, BANDWIDTH),
      this.#number(place, CONNECTIONS_MAX),
    )
  }

  /** With the load that they reported alone. */
  isReportedOverShare(place: number): boolean {
    return this.#reportedOver[place] === 1
  }

  isOverShare(place: number, utilisation: number, siteLoad: number, siteWeight: number): boolean {
    return isBeyondShare(
      utilisation,
      this.#number(place, SESSION_SHARE),
      this.#number(place, BANDWIDTH),
      this.#number(place, WEIGHT),
      this.#number(place, RAMP),
      siteLoad,
      siteWeight,
    )
  }

  #number(place: number, of: number): number {
    return this.#numbers[STRIDE * place + of] ?? 0
  }
}
