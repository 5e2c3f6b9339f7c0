// What is asked for: live channels and a catalogue of titles, both by Zipf's law, in properties that ask different
// things of their edges.
import type { Random } from '../../src/clock.ts'
import { cumulative, drawFrom, pick } from './chance.ts'

export interface Asset {
  readonly index: number
  readonly property: PropertyId
  readonly host: string
  readonly path: string
  readonly live: boolean
}

/** regional: only sites of Europe may serve it. uhd: only edges that can. */
export type PropertyId = 'live' | 'shows' | 'uhd' | 'regional'

export const LIVE_CHANNELS = 60
const TITLES = 20_000
const LIVE_SHARE = 0.3
const LIVE_EXPONENT = 0.9
const TITLE_EXPONENT = 0.85
/** Bits a second that a player takes, each as likely. */
const BIT_RATES = [1.5e6, 3e6, 4e6, 5e6, 8e6]
const UHD_BIT_RATES = [8e6, 12e6, 16e6]

export interface Catalogue {
  readonly assets: readonly Asset[]
  draw(random: Random): Asset
  bitRateOf(asset: Asset, random: Random): number
  /** A live channel's part of all sessions. */
  liveShareOf(index: number): number
  /** Of a session. */
  readonly meanBitRate: number
}

export function makeCatalogue(): Catalogue {
  const live = Array.from({ length: LIVE_CHANNELS }, (_, i) => assetOf(i, 'live', `channel-${i}`))
  const titles = Array.from({ length: TITLES }, (_, i) =>
    assetOf(LIVE_CHANNELS + i, propertyOfTitle(i), `title-${i}`),
  )
  const liveSums = zipf(LIVE_CHANNELS, LIVE_EXPONENT)
  const titleSums = zipf(TITLES, TITLE_EXPONENT)
  const draw = (random: Random): Asset => {
    const isLive = random() < LIVE_SHARE
    const asset = isLive ? live[drawFrom(random, liveSums)] : titles[drawFrom(random, titleSums)]
    if (asset === undefined) throw new Error('an asset that is not there')
    return asset
  }
  const bitRateOf = (asset: Asset, random: Random) =>
    pick(random, asset.property === 'uhd' ? UHD_BIT_RATES : BIT_RATES)
  const liveShareOf = (index: number) =>
    (LIVE_SHARE * ((liveSums[index] ?? 0) - (liveSums[index - 1] ?? 0))) / (liveSums.at(-1) ?? 1)
  // Titles of every tenth rank are UHD.
  const uhdShare = (1 - LIVE_SHARE) / 10
  const meanBitRate = uhdShare * mean(UHD_BIT_RATES) + (1 - uhdShare) * mean(BIT_RATES)
  return { assets: [...live, ...titles], draw, bitRateOf, liveShareOf, meanBitRate }
}

function propertyOfTitle(rank: number): PropertyId {
  return rank % 10 === 3 ? 'uhd' : rank % 10 === 7 ? 'regional' : 'shows'
}

function assetOf(index: number, property: PropertyId, name: string): Asset {
  const host = `${property}.example.com`
  return { index, property, host, path: `/${name}/main.m3u8`, live: property === 'live' }
}

function zipf(count: number, exponent: number): Float64Array {
  return cumulative(Array.from({ length: count }, (_, i) => (i + 1) ** -exponent))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
