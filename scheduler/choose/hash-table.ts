// Values by 64-bit hashes, looked up by the two words of one: nothing is made for the lookup, as a Map's key would be.
// Open addressing, at most half full. Hashes come from names that clients may choose, so that a search has an end.

/** Places looked at for one hash. Of hashes that nobody made meet, hardly any needs ten. */
const SEARCH_MAX = 64
const SMALLEST = 16

export class HashTable<V> {
  /** Both words of each place, side by side. */
  #words = new Int32Array(2 * SMALLEST)
  #values: (V | undefined)[] = emptyPlaces(SMALLEST)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(hi: number, lo: number): V | undefined {
    const place = this.#placeOf(hi, lo)
    return place < 0 ? undefined : this.#values[place]
  }

  /** Of a hash that is not there yet. false: it meets too many others, and is not taken. */
  add(hi: number, lo: number, value: V): boolean {
    if (2 * (this.#size + 1) > this.#values.length) this.#rebuild(2 * this.#values.length, () => true)
    const place = this.#placeOf(hi, lo)
    if (place < 0) return false
    this.#words[2 * place] = hi
    this.#words[2 * place + 1] = lo
    this.#values[place] = value
    this.#size += 1
    return true
  }

  /** Forgets all others. */
  keepOnly(isKept: (value: V) => boolean): void {
    this.#rebuild(this.#values.length, isKept)
  }

  /** Where the hash stands, or would; -1: so far no place is free. */
  #placeOf(hi: number, lo: number): number {
    const mask = this.#values.length - 1
    let place = (hi ^ lo) & mask
    for (let looked = 0; looked < SEARCH_MAX; looked++) {
      if (this.#values[place] === undefined) return place
      if (this.#words[2 * place] === hi && this.#words[2 * place + 1] === lo) return place
      place = (place + 1) & mask
    }
    return -1
  }

  #rebuild(places: number, isKept: (value: V) => boolean): void {
    const [words, values] = [this.#words, this.#values]
    this.#words = new Int32Array(2 * places)
    this.#values = emptyPlaces(places)
    this.#size = 0
    for (const [i, value] of values.entries()) {
      if (value !== undefined && isKept(value)) this.add(words[2 * i] ?? 0, words[2 * i + 1] ?? 0, value)
    }
  }
}

function emptyPlaces(count: number): undefined[] {
  return Array.from({ length: count }, () => undefined)
}
