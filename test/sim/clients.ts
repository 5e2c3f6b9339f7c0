// Who asks: addresses of the city database, and where each belongs by the simulator's own reckoning, which shares no
// code with steering: the record is read by the database's reader, networks are tried one after the other, distances
// are haversines.
import { readFileSync } from 'node:fs'
import { Reader } from 'maxmind'
import { cityClients } from '../../bench/lib/city-clients.ts'
import { contains, formatIp, parseIp, parseNetwork } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { Position } from '../../src/geo/place.ts'
import { CITY_FILES } from '../kit/city-database.ts'
import { kilometres } from './globe.ts'
import { COVERED_ASNS, COVERED_NETWORKS, DEFAULT_SITE, declaredCountries, PINNED } from './world.ts'
import type { CityInFile } from './world.ts'

export interface Client {
  readonly index: number
  readonly peer: string
  readonly family: 4 | 6
  readonly position: Position | undefined
  readonly country: string | undefined
  /** Indexes of the cities that may be the first for it: one, or those that share its network. */
  readonly home: readonly number[]
  /** Whether an operator's word puts it there: then others count as farther. */
  readonly declared: boolean
  /** In the network of the deep edge. */
  readonly pinned: boolean
}

/** Drawn once for all seeds: those draw from them. */
const DRAWN = { 4: 50_000, 6: 15_000 } as const
/** More of one city and family are left out. */
const PER_CITY_MAX = { 4: 800, 6: 400 } as const
/** Addresses that no database knows: the default site's. */
const UNROUTABLE = ['10.1.2.3', '192.168.7.7', '172.16.0.9', 'fd00::1:2']

const PINNED_NETWORKS = PINNED.networks.flatMap((text) => parseNetwork(text) ?? [])
const COVERED = Object.entries(COVERED_NETWORKS).flatMap(([site, texts]) =>
  texts.flatMap((text) => {
    const network = parseNetwork(text)
    return network === undefined ? [] : [{ site, network }]
  }),
)

/** By city, those that belong there. */
export type ClientsByCity = readonly (readonly Client[])[]

export function drawClients(cities: readonly CityInFile[]): ClientsByCity {
  const byCity = cities.map((): Client[] => [])
  let index = 0
  const add = (client: Client, max: number): void => {
    const list = byCity[client.home[0] ?? -1]
    if (list === undefined || list.length >= max) return
    list.push({ ...client, index })
    index += 1
  }
  for (const family of [4, 6] as const) {
    const max = family === 4 ? PER_CITY_MAX[4] : PER_CITY_MAX[4] + PER_CITY_MAX[6]
    const reader = new Reader<Record<string, unknown>>(readFileSync(CITY_FILES[family]))
    for (const address of cityClients(family, DRAWN[family], 'any')) {
      add(clientAt(address, reader.get(formatIp(address)), cities), max)
    }
  }
  for (const text of UNROUTABLE) {
    const address = parseIp(text)
    if (address !== undefined) add(clientAt(address, null, cities), Infinity)
  }
  return byCity
}

function clientAt(
  address: IpAddress,
  record: Record<string, unknown> | null,
  cities: readonly CityInFile[],
): Client {
  const { latitude, longitude, city, country_code: code } = record ?? {}
  const named = typeof city === 'string' && city !== ''
  const position = named ? { lat: Number(latitude), lon: Number(longitude) } : undefined
  const country = typeof code === 'string' ? code : undefined
  const pinned = PINNED_NETWORKS.some((network) => contains(network, address))
  const declared = declaredHome(address, country, position, cities)
  const home = declared ?? [
    position === undefined ? indexOf(DEFAULT_SITE, cities) : nearest(position, cities),
  ]
  const { family } = address
  const peer = formatIp(address)
  return { index: -1, peer, family, position, country, home, declared: declared !== undefined, pinned }
}

/** What an operator says of the address; undefined where none said anything. */
function declaredHome(
  address: IpAddress,
  country: string | undefined,
  position: Position | undefined,
  cities: readonly CityInFile[],
): readonly number[] | undefined {
  const [longest] = COVERED.filter(({ network }) => contains(network, address)).toSorted(
    (x, y) => y.network.prefixLength - x.network.prefixLength,
  )
  if (longest !== undefined) return [indexOf(longest.site, cities)]
  const asn = asnOf(address)
  const taking = Object.entries(COVERED_ASNS).flatMap(([site, asns]) =>
    asn !== undefined && asns.includes(asn) ? [indexOf(site, cities)] : [],
  )
  if (taking.length === 1) return taking
  if (taking.length > 1) {
    const among = cities.filter((one) => taking.includes(one.index))
    return position === undefined ? taking : [nearest(position, among)]
  }
  const site = declaredCountries().get(country ?? '')
  return site === undefined ? undefined : [indexOf(site, cities)]
}

/** There is no free database of AS numbers by which to test: these are made up, one for each IPv4 /8 from 60 to 79. */
export function asnOf({ family, d }: IpAddress): number | undefined {
  const first = d >>> 24
  return family === 4 && first >= 60 && first < 80 ? 64_540 + first : undefined
}

/** Bits of the address that it is made from. */
export function scopeOfAsn({ family }: IpAddress): number {
  return family === 4 ? 8 : 0
}

export function nearest(position: Position, cities: readonly CityInFile[]): number {
  let best = Infinity
  let found = -1
  for (const city of cities) {
    const far = kilometres(position, city)
    if (far >= best) continue
    best = far
    found = city.index
  }
  return found
}

function indexOf(site: string, cities: readonly CityInFile[]): number {
  return cities.findIndex(({ id }) => id === site)
}
