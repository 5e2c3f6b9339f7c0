// The GeoIP files that a configuration names; one that cannot be used is a configuration error that names its key
// and the file.
import { ConfigError } from '../config/config-error.ts'
import { PlaceFileError, loadPlaces } from './places.ts'
import type { PlaceFiles, Places } from './places.ts'

/** File names, resolved. */
export type GeoipSettings = {
  readonly [list in keyof PlaceFiles]?: string | readonly string[] | undefined
}

/** `file` is the configuration's, `key` where its GeoIP settings stand in it. */
export async function loadConfiguredPlaces(geoip: GeoipSettings, file: string, key: string): Promise<Places> {
  try {
    return await loadPlaces({
      city: listOf(geoip.city),
      country: listOf(geoip.country),
      asn: listOf(geoip.asn),
    })
  } catch (error) {
    if (!(error instanceof PlaceFileError)) throw error
    const entry = Array.isArray(geoip[error.list]) ? `[${error.index}]` : ''
    const path = `${key}.${error.list}${entry}`
    throw new ConfigError(file, [{ path, line: null, message: error.message }])
  }
}

function listOf(files: string | readonly string[] | undefined): readonly string[] {
  if (files === undefined) return []
  return typeof files === 'string' ? [files] : files
}
