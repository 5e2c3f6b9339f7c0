// Sessions under way: who watches what from which edge, and when that ends. A wheel of ends in steps of the clock, each
// a chain through one table, so that a million of them cost some bytes each.
import { STEP_MS } from './virtual-clock.ts'

/** Longer ones end then: beyond it lies e^-10 of them. */
const MEANS_MAX = 10

export interface Watching {
  readonly client: number
  readonly asset: number
  /** A second. */
  readonly bits: number
}

/** Told of each session that ends by itself. */
export type OnEnd = (edge: number, watching: Watching) => void

const LOST = -1
const NONE = -1

export class Sessions {
  #edge = new Int32Array(1024)
  #client = new Int32Array(1024)
  #asset = new Int32Array(1024)
  #bits = new Float64Array(1024)
  #next = new Int32Array(1024)
  #used = 0
  #free = NONE
  readonly #ends: Int32Array
  #step = 0
  #count = 0

  constructor(meanMs: number) {
    this.#ends = new Int32Array(Math.ceil((MEANS_MAX * meanMs) / STEP_MS) + 2).fill(NONE)
  }

  /** Under way now. */
  get count(): number {
    return this.#count
  }

  start(edge: number, { client, asset, bits }: Watching, lastsMs: number): void {
    const place = this.#take()
    this.#edge[place] = edge
    this.#client[place] = client
    this.#asset[place] = asset
    this.#bits[place] = bits
    const steps = Math.min(this.#ends.length - 1, Math.max(1, Math.ceil(lastsMs / STEP_MS)))
    const slot = (this.#step + steps) % this.#ends.length
    this.#next[place] = this.#ends[slot] ?? NONE
    this.#ends[slot] = place
    this.#count += 1
  }

  /** A step passes: what was to end now ends. */
  advance(onEnd: OnEnd): void {
    this.#step += 1
    const slot = this.#step % this.#ends.length
    let place = this.#ends[slot] ?? NONE
    this.#ends[slot] = NONE
    while (place !== NONE) {
      const next = this.#next[place] ?? NONE
      const edge = this.#edge[place] ?? LOST
      if (edge !== LOST) {
        this.#count -= 1
        onEnd(edge, this.#at(place))
      }
      this.#edge[place] = LOST
      this.#next[place] = this.#free
      this.#free = place
      place = next
    }
  }

  /** Those of some edges, of which `edge` is one, break off; in the order of the table. */
  breakOff(
    edges: ReadonlySet<number>,
    isHit: (watching: Watching) => boolean = () => true,
  ): [number, Watching][] {
    const broken: [number, Watching][] = []
    for (let place = 0; place < this.#used; place += 1) {
      const edge = this.#edge[place] ?? LOST
      if (edge === LOST || !edges.has(edge)) continue
      const watching = this.#at(place)
      if (!isHit(watching)) continue
      this.#edge[place] = LOST
      this.#count -= 1
      broken.push([edge, watching])
    }
    return broken
  }

  #at(place: number): Watching {
    return {
      client: this.#client[place] ?? 0,
      asset: this.#asset[place] ?? 0,
      bits: this.#bits[place] ?? 0,
    }
  }

  #take(): number {
    if (this.#free !== NONE) {
      const place = this.#free
      this.#free = this.#next[place] ?? NONE
      return place
    }
    if (this.#used === this.#edge.length) this.#grow()
    this.#used += 1
    return this.#used - 1
  }

  #grow(): void {
    const size = this.#edge.length * 2
    const grownInts = (old: Int32Array) => {
      const grown = new Int32Array(size)
      grown.set(old)
      return grown
    }
    this.#edge = grownInts(this.#edge)
    this.#client = grownInts(this.#client)
    this.#asset = grownInts(this.#asset)
    this.#next = grownInts(this.#next)
    const bits = new Float64Array(size)
    bits.set(this.#bits)
    this.#bits = bits
  }
}
