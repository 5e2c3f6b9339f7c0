// Who comes when, and for what: viewers of each city by the hour of its day, crowds on top of it, and players that ask
// again since their edge is gone.
import type { Random } from '../../src/clock.ts'
import type { Asset, Catalogue } from './catalogue.ts'
import { chanceOf, cumulative, drawFrom, poisson } from './chance.ts'
import type { Client, ClientsByCity } from './clients.ts'
import { STEP_MS } from './virtual-clock.ts'
import type { City } from './world.ts'

export interface Arrival {
  readonly client: Client
  readonly asset: Asset
  /** A second that its player takes. */
  readonly bits: number
}

/** A day of the simulation: sessions are as much shorter than real ones. */
const DAY_MS = 300_000
/** Evening above and night below the mean. */
const DAY_SWING = 0.25
/** Whom a regional property is not for asks for it all the same. */
const STRANGERS = 0.02

interface Crowd {
  readonly cities: readonly City[]
  factor: number
}

export class Arrivals {
  readonly #random: Random
  readonly #cities: readonly City[]
  readonly #clients: ClientsByCity
  readonly #catalogue: Catalogue
  readonly #perStep: number
  readonly #crowds = new Map<number, Crowd>()
  #sums: Float64Array
  #sumsAtMs = 0

  constructor(
    seed: number,
    cities: readonly City[],
    clients: ClientsByCity,
    catalogue: Catalogue,
    perMinute: number,
  ) {
    this.#random = chanceOf(seed, 'arrivals')
    this.#cities = cities
    this.#clients = clients
    this.#catalogue = catalogue
    this.#perStep = (perMinute * STEP_MS) / 60_000
    this.#sums = this.#sumsAt(0)
  }

  /** Factor 1 ends it. */
  crowd(asset: number, cities: readonly City[], factor: number): void {
    if (factor === 1) this.#crowds.delete(asset)
    else this.#crowds.set(asset, { cities, factor })
  }

  isCrowded(city: number): boolean {
    return [...this.#crowds.values()].some(({ cities }) => cities.some(({ index }) => index === city))
  }

  /** Those of one step, in order. */
  *draw(nowMs: number): Generator<Arrival> {
    if (nowMs - this.#sumsAtMs >= 1000) {
      this.#sums = this.#sumsAt(nowMs)
      this.#sumsAtMs = nowMs
    }
    const level = this.#sums.at(-1) ?? 0
    const count = poisson(this.#random, this.#perStep * level)
    for (let i = 0; i < count; i += 1) {
      const city = this.#cities[drawFrom(this.#random, this.#sums)]
      if (city !== undefined) yield this.#arrivalAt(city, this.#catalogue.draw(this.#random))
    }
    for (const [asset, { cities, factor }] of this.#crowds) yield* this.#drawCrowd(asset, cities, factor)
  }

  /** Of a session that is under way when the simulation begins. */
  drawAt(city: City): Arrival {
    return this.#arrivalAt(city, this.#catalogue.draw(this.#random))
  }

  *#drawCrowd(index: number, cities: readonly City[], factor: number): Generator<Arrival> {
    const asset = this.#catalogue.assets[index]
    if (asset === undefined) return
    for (const city of cities) {
      const usual = this.#perStep * city.share * this.#catalogue.liveShareOf(index)
      const count = poisson(this.#random, usual * (factor - 1))
      for (let i = 0; i < count; i += 1) yield this.#arrivalAt(city, asset)
    }
  }

  #arrivalAt(city: City, drawn: Asset): Arrival {
    const random = this.#random
    const clients = this.#clients[city.index] ?? []
    const client = clients[Math.floor(random() * clients.length)]
    if (client === undefined) throw new Error(`nobody lives in ${city.id}`)
    let asset = drawn
    // Redrawn for most of those whom it is not for; the few others are sent far.
    while (asset.property === 'regional' && !city.regional && random() > STRANGERS) {
      asset = this.#catalogue.draw(random)
    }
    return { client, asset, bits: this.#catalogue.bitRateOf(asset, random) }
  }

  #sumsAt(nowMs: number): Float64Array {
    return cumulative(
      this.#cities.map(
        ({ share, lon }) => share * (1 + DAY_SWING * Math.sin(2 * Math.PI * (nowMs / DAY_MS + lon / 360))),
      ),
    )
  }
}
