// What a GeoIP record says of a place, read from either shape: MaxMind's nested records (GeoLite2, GeoIP2) and
// flat ones ({country_code}, {latitude, longitude, city, country_code}).

import type { RecordKind } from './mmdb.ts'

export interface Position {
  /** Degrees, north and east positive. */
  readonly lat: number
  readonly lon: number
}

export interface Place {
  /** ISO 3166, two capitals. */
  readonly country: string | undefined
  /** Only where the record names a city: a country's centre is not a place where clients are. */
  readonly position: Position | undefined
}

const COUNTRY = { iso_code: 'value' } as const
const POSITION = { latitude: 'value', longitude: 'value' } as const

export const PLACE_RECORD: RecordKind<Place> = {
  fields: {
    city: 'some',
    country_code: 'value',
    country: COUNTRY,
    registered_country: COUNTRY,
    location: POSITION,
    ...POSITION,
  },
  read: placeOf,
  pack({ country, position }, into, at) {
    into[at] = position?.lat ?? Number.NaN
    into[at + 1] = position?.lon ?? Number.NaN
    into[at + 2] = country === undefined ? NO_COUNTRY : numberOf(country)
  },
  unpack(from, at) {
    const lat = from[at] ?? Number.NaN
    const lon = from[at + 1] ?? Number.NaN
    const country = COUNTRIES[from[at + 2] ?? NO_COUNTRY]
    return { country, position: Number.isNaN(lat) ? undefined : { lat, lon } }
  },
}

const LETTERS = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i))
/** All that have the form of one. */
const COUNTRIES = LETTERS.flatMap((first) => LETTERS.map((second) => first + second))
const NO_COUNTRY = -1

/** The place of a code among them. */
function numberOf(country: string): number {
  return (country.charCodeAt(0) - 65) * LETTERS.length + country.charCodeAt(1) - 65
}

/** Undefined when the record says nothing of use. */
export function placeOf(record: unknown): Place | undefined {
  if (!isRecord(record)) return undefined
  const country = countryOf(record)
  const located = isRecord(record['location']) ? record['location'] : record
  const position = positionOf(located)
  const precise = country === undefined || namesCity(record)
  if (country === undefined && position === undefined) return undefined
  return { country, position: precise ? position : undefined }
}

type RecordMap = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is RecordMap {
  return typeof value === 'object' && value !== null
}

function countryOf(record: RecordMap): string | undefined {
  const flat = countryCode(record['country_code']) ?? countryCode(record['country'])
  return flat ?? isoCode(record['country']) ?? isoCode(record['registered_country'])
}

function isoCode(part: unknown): string | undefined {
  return isRecord(part) ? countryCode(part['iso_code']) : undefined
}

function countryCode(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Z]{2}$/.test(value) ? value : undefined
}

function positionOf(record: RecordMap): Position | undefined {
  const lat = degrees(record['latitude'], 90)
  const lon = degrees(record['longitude'], 180)
  return lat === undefined || lon === undefined ? undefined : { lat, lon }
}

function degrees(value: unknown, bound: number): number | undefined {
  // Some flat files hold numbers as text.
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Math.abs(number) <= bound ? number : undefined
}

function namesCity(record: RecordMap): boolean {
  const city = record['city']
  return isRecord(city) || (typeof city === 'string' && city !== '')
}
