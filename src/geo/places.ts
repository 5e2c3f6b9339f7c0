// Address → place and AS number, from one or more GeoIP files: cities first, then countries; split or joined IPv4
// and IPv6 files alike. Without a country file of the operator's, the one that comes with Edgeward answers; AS numbers
// are known only from files of the operator's.
import { fileURLToPath } from 'node:url'
import type { IpAddress } from '../net/ip.ts'
import { asnOf } from './asn.ts'
import { loadMmdb } from './mmdb.ts'
import type { Mmdb } from './mmdb.ts'
import { placeOf } from './place.ts'
import type { Place } from './place.ts'

export interface Places {
  find(address: IpAddress): Place | undefined
  /** The autonomous system that announces the address. */
  findAsn(address: IpAddress): number | undefined
}

export interface PlaceFiles {
  city: readonly string[]
  /** Empty: the default country database. */
  country: readonly string[]
  asn: readonly string[]
}

/** Which of the lists a file that failed to load stands in. */
export class PlaceFileError extends Error {
  readonly list: keyof PlaceFiles
  readonly index: number

  constructor(list: keyof PlaceFiles, index: number, cause: Error) {
    super(cause.message, { cause })
    this.name = 'PlaceFileError'
    this.list = list
    this.index = index
  }
}

const DEFAULT_COUNTRY = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'

/** Rejects with a PlaceFileError naming the first file that cannot be used. */
export async function loadPlaces(files: PlaceFiles): Promise<Places> {
  const defaults = files.country.length === 0 ? [fileURLToPath(import.meta.resolve(DEFAULT_COUNTRY))] : []
  const cities = await loadAll('city', files.city)
  const countries = await loadAll('country', [...files.country, ...defaults])
  const asns = await loadAll('asn', files.asn)
  return placesOf([...cities, ...countries], asns)
}

/** The first file that knows the position wins, else the first that knows the country; likewise the AS number. */
export function placesOf(databases: readonly Mmdb[], asnDatabases: readonly Mmdb[] = []): Places {
  return {
    find(address) {
      let known: Place | undefined
      for (const database of databases) {
        const place = findIn(database, address, placeOf)
        if (place?.position !== undefined) return place
        known ??= place
      }
      return known
    },
    findAsn(address) {
      for (const database of asnDatabases) {
        const asn = findIn(database, address, asnOf)
        if (asn !== undefined) return asn
      }
      return undefined
    },
  }
}

function findIn<T>(database: Mmdb, address: IpAddress, read: (record: unknown) => T): T | undefined {
  try {
    return read(database.find(address))
  } catch {
    // A damaged record that the check at load did not meet: this file knows nothing of this address.
    return undefined
  }
}

async function loadAll(list: keyof PlaceFiles, files: readonly string[]): Promise<Mmdb[]> {
  const loads = files.map(async (file, index) => {
    try {
      return await loadMmdb(file)
    } catch (error) {
      throw error instanceof Error ? new PlaceFileError(list, index, error) : error
    }
  })
  return Promise.all(loads)
}
