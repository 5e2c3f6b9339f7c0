// One city database for all servers, in the shape of MaxMind's that all of them read: IPv4 in /16, IPv6 in /32, each
// where the free city database says that an address inside is. The same at every run, made in a few seconds.
import { loadPlaces } from '../../src/geo/places.ts'
import type { Place } from '../../src/geo/place.ts'
import { formatNetwork, networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { CITY_FILES } from '../../test/kit/city-database.ts'
import { writeMmdb } from '../../test/kit/mmdb-file.ts'
import type { MmdbValue } from '../../test/kit/mmdb-file.ts'
import { cityClients } from '../lib/city-clients.ts'

/** IPv4 /16 from 1.0.0.0 to 223.255.0.0. */
const FIRST_BLOCK = 0x0100
const LAST_BLOCK = 0xdfff
const IPV6_NETWORKS = 20_000
/** gdnsd wants the word in the database's type before it reads positions. */
const TYPE = 'Edgeward-Bench-City'

export interface NestedCities {
  readonly networks: number
  readonly countries: readonly string[]
}

/** Gives what it holds. */
export async function writeNestedCities(file: string): Promise<NestedCities> {
  const places = await loadPlaces({ city: [CITY_FILES[4], CITY_FILES[6]], country: [], asn: [] })
  const records: Record<string, MmdbValue> = {}
  const countries = new Set<string>()
  const take = (client: IpAddress, prefixLength: number) => {
    const place = places.find(client)
    if (place?.position === undefined || place.country === undefined) return
    countries.add(place.country)
    records[formatNetwork(networkOf(client, prefixLength))] = nested(place.country, place.position)
  }
  for (let block = FIRST_BLOCK; block <= LAST_BLOCK; block += 1) {
    take({ family: 4, a: 0, b: 0, c: 0, d: block * 2 ** 16 + 0x8001 }, 16)
  }
  for (const client of cityClients(6, IPV6_NETWORKS, 'new-record')) take(client, 32)
  await writeMmdb(file, records, 28, TYPE)
  return { networks: Object.keys(records).length, countries: [...countries] }
}

function nested(country: string, { lat, lon }: NonNullable<Place['position']>): MmdbValue {
  return {
    city: { names: { en: `${country} ${lat.toFixed(2)} ${lon.toFixed(2)}` } },
    country: { iso_code: country },
    location: { latitude: fraction(lat), longitude: fraction(lon) },
  }
}

/** The writer takes whole numbers for integers, which no reader takes for degrees. */
function fraction(degrees: number): number {
  return Number.isInteger(degrees) ? degrees + 0.001 : degrees
}
