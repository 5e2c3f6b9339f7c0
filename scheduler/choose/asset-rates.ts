// How often each asset is asked for at each site, as fading counts in a table of fixed size: four places for each
// hash, of which the slowest gives way. An asset that was pushed out counts as cold, and warms up again.
import { ASSET_RATE_DECAY_MS, ASSET_RATES_MAX } from '../limits.ts'
import { ForwardDecay } from './forward-decay.ts'

const WAYS = 4
const SETS = ASSET_RATES_MAX / WAYS

/** An asset is asked for by the two words of its hash. */
export class AssetRates {
  /** Both words of each place, side by side: a decision looks at four places that it has not met for long. */
  readonly #words = new Int32Array(2 * ASSET_RATES_MAX)
  readonly #grown = new Float64Array(ASSET_RATES_MAX)
  readonly #decay = new ForwardDecay(ASSET_RATE_DECAY_MS)

  note(hi: number, lo: number, nowMs: number): void {
    const factor = this.#decay.factorAt(nowMs, this.#grown)
    let place = this.#placeOf(hi, lo)
    if (place < 0) place = this.#giveWay(hi, lo)
    this.#grown[place] = (this.#grown[place] ?? 0) + 1 / factor
  }

  /** Decisions a second. */
  rateOf(hi: number, lo: number, nowMs: number): number {
    const place = this.#placeOf(hi, lo)
    if (place < 0) return 0
    const factor = this.#decay.factorAt(nowMs, this.#grown)
    return ((this.#grown[place] ?? 0) * factor) / (ASSET_RATE_DECAY_MS / 1000)
  }

  #placeOf(hi: number, lo: number): number {
    const first = firstOf(lo)
    for (let i = first; i < first + WAYS; i++) {
      if (this.#words[2 * i] === hi && this.#words[2 * i + 1] === lo) return i
    }
    return -1
  }

  #giveWay(hi: number, lo: number): number {
    const first = firstOf(lo)
    let place = first
    for (let i = first + 1; i < first + WAYS; i++) {
      if ((this.#grown[i] ?? 0) < (this.#grown[place] ?? 0)) place = i
    }
    this.#words[2 * place] = hi
    this.#words[2 * place + 1] = lo
    this.#grown[place] = 0
    return place
  }
}

function firstOf(lo: number): number {
  return ((lo >>> 0) % SETS) * WAYS
}
