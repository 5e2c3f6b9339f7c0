// What was read of the records of one file, as numbers in a table: nothing that the garbage collector would follow, and
// one line of the processor's cache for each. Most clients share their record with others. A record has one place in the
// table, where the next of that place takes over from it.

/** How a value is held as FIELDS numbers from `at` on; `unpack` gives an equal one. */
export interface Packing<T> {
  readonly pack: (value: T, into: Float64Array, at: number) => void
  readonly unpack: (from: Float64Array, at: number) => T
}

/** Numbers a value may take. */
const FIELDS = 3
/** And one for its record: 32 bytes in all. */
const STRIDE = FIELDS + 1
/** Added to a record that says nothing of use. No record is 0: the first numbers are those of the tree's nodes. */
const USELESS = 0.5

export class RecordMemory<T> {
  readonly #table: Float64Array
  readonly #shift: number
  readonly #packing: Packing<T>

  /** `places`: a power of two. */
  constructor(places: number, packing: Packing<T>) {
    this.#table = new Float64Array(places * STRIDE)
    this.#shift = 32 - Math.log2(places)
    this.#packing = packing
  }

  /** Where the record is held, if it is. */
  placeOf(record: number): number {
    return (Math.imul(record, 0x9e3779b1) >>> this.#shift) * STRIDE
  }

  holds(place: number, record: number): boolean {
    const held = this.#table[place] ?? 0
    return held === record || held === record + USELESS
  }

  /** Of the record that is held there. */
  valueAt(place: number): T | undefined {
    const held = this.#table[place] ?? 0
    return Number.isInteger(held) ? this.#packing.unpack(this.#table, place + 1) : undefined
  }

  keep(place: number, record: number, value: T | undefined): void {
    this.#table[place] = value === undefined ? record + USELESS : record
    if (value !== undefined) this.#packing.pack(value, this.#table, place + 1)
  }
}
