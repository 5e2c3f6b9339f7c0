// A value by text, for texts that are new with each question, such as the Host of a request: a Map first makes such a text
// one with the engine's other copies of it, which takes several times as long as to read it.

interface Entry<V> {
  readonly text: string
  readonly value: V
}

/** Built once. Of equal texts the first stands. */
export class TextTable<V> {
  /** A power of two of them, at most half in use: the way past those that are not meant is short. */
  readonly #places: (Entry<V> | undefined)[]
  readonly #mask: number

  constructor(entries: Iterable<readonly [string, V]>) {
    const distinct = new Map<string, V>()
    for (const [text, value] of entries) if (!distinct.has(text)) distinct.set(text, value)
    const size = 2 ** Math.ceil(Math.log2(2 * distinct.size + 2))
    this.#mask = size - 1
    this.#places = Array.from({ length: size }, () => undefined)
    for (const [text, value] of distinct) {
      let place = hashOf(text) & this.#mask
      while (this.#places[place] !== undefined) place = (place + 1) & this.#mask
      this.#places[place] = { text, value }
    }
  }

  get(text: string): V | undefined {
    let place = hashOf(text) & this.#mask
    for (;;) {
      const entry = this.#places[place]
      if (entry === undefined || entry.text === text) return entry?.value
      place = (place + 1) & this.#mask
    }
  }
}

function hashOf(text: string): number {
  let hash = text.length
  for (let i = 0; i < text.length; i++)
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e37_79b1) ^ (hash >>> 15)
  return hash ^ (hash >>> 13)
}
