// Networks and GeoIP files of about the make of real ones, the same at every run, for benchmarks of locating clients.
import { networkOf } from '../../src/net/ip.ts'
import type { IpNetwork } from '../../src/net/ip.ts'
import { writeMmdb } from '../../test/kit/mmdb-file.ts'
import type { MmdbValue } from '../../test/kit/mmdb-file.ts'

/** 32-bit numbers that look random (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** Of ISPs: four in five IPv4 of /12 to /28, many inside others, the rest IPv6 of /32 to /56; none twice. */
export function coverageNetworks(count: number): IpNetwork[] {
  const next = numbers(1)
  const networks = new Map<string, IpNetwork>()
  while (networks.size < count) {
    const network =
      networks.size % 5 === 0
        ? networkOf(
            { family: 6, a: 0x2400_0000 + (next() & 0xf_ffff), b: next(), c: 0, d: 0 },
            32 + (next() % 25),
          )
        : networkOf(
            { family: 4, a: 0, b: 0, c: 0, d: (0x0100_0000 + (next() % 0xdf00_0000)) >>> 0 },
            12 + (next() % 17),
          )
    const { a, b, d } = network.address
    networks.set(`${a} ${b} ${d} ${network.prefixLength}`, network)
  }
  return [...networks.values()]
}

const COUNTRIES = ['CN', 'DE', 'US', 'FR', 'BR', 'IN', 'JP', 'ZA']
const LANGUAGES = ['de', 'en', 'es', 'fr', 'ja', 'pt-BR', 'ru', 'zh-CN']

/** 1.0.0.0 to 99.255.255.255 and 2400::/8 in networks of many lengths, each with a city. */
export async function writeCities(file: string, shape: 'flat' | 'nested'): Promise<void> {
  const next = numbers(2)
  const make = shape === 'flat' ? flatCity : nestedCity
  const records: Record<string, MmdbValue> = {}
  for (let first = 1; first < 100; first += 1) {
    for (let i = 0; i < 600; i += 1) {
      const length = 16 + (next() % 9)
      const d = (first * 2 ** 24 + (next() & 0xff_ffff & (-1 << (32 - length)))) >>> 0
      records[`${first}.${(d >>> 16) & 255}.${(d >>> 8) & 255}.0/${length}`] = make(next)
    }
    records[`${first}.0.0.0/8`] = make(next)
  }
  for (let i = 0; i < 4096; i += 1) records[`24${hex(i >> 4)}:${(i & 15).toString(16)}000::/20`] = make(next)
  await writeMmdb(file, records, 28)
}

export async function writeAsns(file: string): Promise<void> {
  const next = numbers(4)
  const records: Record<string, MmdbValue> = {}
  for (let i = 0; i < 25_600; i += 1) {
    records[`${i >> 8}.${i & 255}.0.0/16`] = {
      autonomous_system_number: 1 + (next() % 1000),
      autonomous_system_organization: `Network ${i}`,
    }
  }
  await writeMmdb(file, records)
}

function flatCity(next: () => number): MmdbValue {
  return {
    city: `City ${next() % 50_000}`,
    country_code: countryOf(next),
    latitude: latitudeOf(next),
    longitude: longitudeOf(next),
    postcode: String(next() % 90_000),
    state1: `State ${next() % 1000}`,
    state2: `District ${next() % 10_000}`,
    timezone: 'Asia/Shanghai',
  }
}

function nestedCity(next: () => number): MmdbValue {
  const place = (kind: string) => ({
    geoname_id: next(),
    names: Object.fromEntries(LANGUAGES.map((language) => [language, `${kind} ${next() % 50_000}`])),
  })
  return {
    city: place('City'),
    continent: { code: 'AS', ...place('Continent') },
    country: { iso_code: countryOf(next), ...place('Country') },
    location: {
      accuracy_radius: 50,
      latitude: latitudeOf(next),
      longitude: longitudeOf(next),
      time_zone: 'Asia/Shanghai',
    },
    registered_country: { iso_code: countryOf(next), ...place('Country') },
  }
}

function countryOf(next: () => number): string {
  return COUNTRIES[next() % COUNTRIES.length] ?? 'CN'
}

function latitudeOf(next: () => number): number {
  return (next() % 120_000) / 1000 - 60
}

function longitudeOf(next: () => number): number {
  return (next() % 360_000) / 1000 - 180
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
