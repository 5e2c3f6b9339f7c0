// A number for each of the networks met last, in a table of fixed size: four places for each hash, in one line of a
// processor's cache, of which the one filled first gives way.

const WAYS = 4
/** A place: the network, its number. */
const PLACE_WORDS = 2
const SET_WORDS = WAYS * PLACE_WORDS

export class NetworkNumbers {
  readonly #words: Uint32Array
  readonly #shift: number

  /** `networksMax`: a power of two. */
  constructor(networksMax: number) {
    this.#words = new Uint32Array(networksMax * PLACE_WORDS)
    this.#shift = 32 - Math.log2(networksMax / WAYS)
  }

  /** 0: it has none. `network`: 32 bits. */
  find(network: number): number {
    const first = this.#setOf(network)
    for (let at = first; at < first + SET_WORDS; at += PLACE_WORDS) {
      if (this.#words[at] === network) return this.#words[at + 1] ?? 0
    }
    return 0
  }

  /** One that has none yet. `number`: 1 to 2^32 - 1. */
  keep(network: number, number: number): void {
    const first = this.#setOf(network)
    this.#words.copyWithin(first + PLACE_WORDS, first, first + SET_WORDS - PLACE_WORDS)
    this.#words[first] = network
    this.#words[first + 1] = number
  }

  /** Neighbours lie apart: providers' networks are often round. */
  #setOf(network: number): number {
    return (Math.imul(network, 0x9e37_79b1) >>> this.#shift) * SET_WORDS
  }
}
