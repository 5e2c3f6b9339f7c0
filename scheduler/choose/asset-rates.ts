// How often each asset is asked for at each site, as decaying counts in a table of fixed size: four places for each
// hash, of which the slowest gives way. An asset that was pushed out counts as cold, and warms up again.
import { ASSET_RATE_DECAY_MS, ASSET_RATES_MAX } from '../limits.ts'
import type { Hash64 } from '../../src/rendezvous.ts'

const WAYS = 4
const SETS = ASSET_RATES_MAX / WAYS

export class AssetRates {
  readonly #hi = new Int32Array(ASSET_RATES_MAX)
  readonly #lo = new Int32Array(ASSET_RATES_MAX)
  readonly #count = new Float64Array(ASSET_RATES_MAX)
  readonly #atMs = new Float64Array(ASSET_RATES_MAX)

  note(key: Hash64, nowMs: number): void {
    const first = firstOf(key)
    let place = this.#placeOf(key)
    if (place < 0) {
      place = first
      for (let i = first + 1; i < first + WAYS; i++) {
        if (this.#countAt(i, nowMs) < this.#countAt(place, nowMs)) place = i
      }
      this.#hi[place] = key.hi
      this.#lo[place] = key.lo
      this.#count[place] = 0
    }
    this.#count[place] = this.#countAt(place, nowMs) + 1
    this.#atMs[place] = nowMs
  }

  /** Decisions a second. */
  rateOf(key: Hash64, nowMs: number): number {
    const place = this.#placeOf(key)
    return place < 0 ? 0 : this.#countAt(place, nowMs) / (ASSET_RATE_DECAY_MS / 1000)
  }

  #placeOf(key: Hash64): number {
    const first = firstOf(key)
    for (let i = first; i < first + WAYS; i++) {
      if (this.#hi[i] === key.hi && this.#lo[i] === key.lo) return i
    }
    return -1
  }

  #countAt(place: number, nowMs: number): number {
    const count = this.#count[place] ?? 0
    if (count === 0) return 0
    return count * Math.exp(Math.min(0, (this.#atMs[place] ?? nowMs) - nowMs) / ASSET_RATE_DECAY_MS)
  }
}

function firstOf({ lo }: Hash64): number {
  return ((lo >>> 0) % SETS) * WAYS
}
