// The GeoIP files that a configuration names; one that cannot be used is a configuration error that names its key
// and the file. For a daemon they are watched from then on.
import { ConfigError } from '../config/config-error.ts'
import { PlaceFileError, loadPlaces } from './places.ts'
import type { LoadedPlaces, PlaceFiles } from './places.ts'
import { WatchedPlaces } from './watched-places.ts'
import type { WatchedPlacesDeps } from './watched-places.ts'

/** File names, resolved. */
export type GeoipSettings = {
  readonly [list in keyof PlaceFiles]?: string | readonly string[] | undefined
}

/** `file` is the configuration's, `key` where its GeoIP settings stand in it. */
export async function loadConfiguredPlaces(
  geoip: GeoipSettings,
  file: string,
  key: string,
): Promise<LoadedPlaces> {
  try {
    return await loadPlaces(filesOf(geoip))
  } catch (error) {
    if (!(error instanceof PlaceFileError)) throw error
    const entry = Array.isArray(geoip[error.list]) ? `[${error.index}]` : ''
    const path = `${key}.${error.list}${entry}`
    throw new ConfigError(file, [{ path, line: null, message: error.message }])
  }
}

/** The same, and watches them until it is closed. */
export async function watchConfiguredPlaces(
  geoip: GeoipSettings,
  file: string,
  key: string,
  deps: WatchedPlacesDeps,
): Promise<WatchedPlaces> {
  return new WatchedPlaces(filesOf(geoip), await loadConfiguredPlaces(geoip, file, key), deps)
}

function filesOf({ city, country, asn }: GeoipSettings): PlaceFiles {
  return { city: listOf(city), country: listOf(country), asn: listOf(asn) }
}

function listOf(files: string | readonly string[] | undefined): readonly string[] {
  if (files === undefined) return []
  return typeof files === 'string' ? [files] : files
}
