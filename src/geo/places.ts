// Address → place and AS number, from one or more GeoIP files: cities first, then countries; split or joined IPv4
// and IPv6 files alike. Without a country file of the operator's, the one that comes with Edgeward answers; AS numbers
// are known only from files of the operator's.
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { systemCode } from '../errors.ts'
import type { IpAddress } from '../net/ip.ts'
import { ASN_RECORD } from './asn.ts'
import { loadMmdb } from './mmdb.ts'
import type { Mmdb, RecordKind } from './mmdb.ts'
import { PLACE_RECORD } from './place.ts'
import type { Place } from './place.ts'

export interface Places {
  find(address: IpAddress): Place | undefined
  /** The autonomous system that announces the address. */
  findAsn(address: IpAddress): number | undefined
  /** The same with what it depended on. */
  look(address: IpAddress): Looked<Place>
  lookForAsn(address: IpAddress): Looked<number>
}

export interface Looked<T> {
  readonly found: T | undefined
  /** Bits of a prefix whose addresses all find the same. */
  readonly scope: number
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

/** Places that know their files: those that did not change are taken over by the next. */
export interface LoadedPlaces extends Places {
  readonly places: ReadonlyMap<string, LoadedFile<Place>>
  readonly asns: ReadonlyMap<string, LoadedFile<number>>
}

export interface LoadedFile<T> {
  readonly database: Mmdb<T>
  /** What the file was like when it was read; see `stampOfFile`. */
  readonly stamp: string
}

/**
 * Rejects with a PlaceFileError naming the first file that cannot be used. Of `earlier`, files that are as they were
 * are not read again.
 */
export async function loadPlaces(files: PlaceFiles, earlier?: LoadedPlaces): Promise<LoadedPlaces> {
  const defaults = files.country.length === 0 ? [fileURLToPath(import.meta.resolve(DEFAULT_COUNTRY))] : []
  const cities = await loadAll('city', files.city, PLACE_RECORD, earlier?.places)
  const countries = await loadAll('country', [...files.country, ...defaults], PLACE_RECORD, earlier?.places)
  const asns = new Map(await loadAll('asn', files.asn, ASN_RECORD, earlier?.asns))
  const places = new Map([...cities, ...countries])
  return { ...placesOf(databasesOf(places), databasesOf(asns)), places, asns }
}

function databasesOf<T>(loaded: ReadonlyMap<string, LoadedFile<T>>): Mmdb<T>[] {
  return [...loaded.values()].map(({ database }) => database)
}

/** The first file that knows the position wins, else the first that knows the country; likewise the AS number. */
export function placesOf(
  databases: readonly Mmdb<Place>[],
  asnDatabases: readonly Mmdb<number>[] = [],
): Places {
  const look = (address: IpAddress) => lookIn(databases, address, hasPosition)
  const lookForAsn = (address: IpAddress) => lookIn(asnDatabases, address, isFound)
  return {
    look,
    lookForAsn,
    find: (address) => look(address).found,
    findAsn: (address) => lookForAsn(address).found,
  }
}

const hasPosition = ({ position }: Place): boolean => position !== undefined
const isFound = (): boolean => true

/** The first that settles it, else the first that was found; over those that were asked until then, also in vain. */
function lookIn<T>(
  databases: readonly Mmdb<T>[],
  address: IpAddress,
  settles: (found: T) => boolean,
): Looked<T> {
  let known: T | undefined
  let scope = 0
  for (const database of databases) {
    const found = findIn(database, address)
    scope = Math.max(scope, database.prefixFound())
    if (found === undefined) continue
    if (settles(found)) return { found, scope }
    known ??= found
  }
  return { found: known, scope }
}

/** What a file is like now: differs when it was changed or replaced. Never fails. */
export async function stampOfFile(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file)
    return `${ino} ${size} ${mtimeMs}`
  } catch (error) {
    return systemCode(error) ?? 'unreadable'
  }
}

function findIn<T>(database: Mmdb<T>, address: IpAddress): T | undefined {
  try {
    return database.find(address)
  } catch {
    // A damaged record that the check at load did not meet: this file knows nothing of this address.
    return undefined
  }
}

/** In the order of the list. */
async function loadAll<T>(
  list: keyof PlaceFiles,
  files: readonly string[],
  kind: RecordKind<T>,
  earlier: ReadonlyMap<string, LoadedFile<T>> | undefined,
): Promise<[string, LoadedFile<T>][]> {
  const loads = files.map(async (file, index): Promise<[string, LoadedFile<T>]> => {
    try {
      return [file, await loadFile(file, kind, earlier?.get(file))]
    } catch (error) {
      throw error instanceof Error ? new PlaceFileError(list, index, error) : error
    }
  })
  return Promise.all(loads)
}

async function loadFile<T>(
  file: string,
  kind: RecordKind<T>,
  earlier: LoadedFile<T> | undefined,
): Promise<LoadedFile<T>> {
  const stamp = await stampOfFile(file)
  if (earlier?.stamp === stamp) return earlier
  const database = await loadMmdb(file, kind)
  // Half of the old one and half of the new would pass for whole.
  if ((await stampOfFile(file)) !== stamp) throw new Error(`${file} changed while it was read`)
  return { database, stamp }
}
