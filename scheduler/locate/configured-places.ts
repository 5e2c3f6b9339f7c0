// The GeoIP files that the configuration names; one that cannot be used is a configuration error that names
// its key and the file.
import { ConfigError } from '../../src/config/config-error.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import { PlaceFileError, loadPlaces } from '../../src/geo/places.ts'
import type { Places } from '../../src/geo/places.ts'

export async function loadConfiguredPlaces({ file, settings }: SchedulerConfig): Promise<Places> {
  const { geoip } = settings.scheduler
  try {
    return await loadPlaces({ city: listOf(geoip.city), country: listOf(geoip.country) })
  } catch (error) {
    if (!(error instanceof PlaceFileError)) throw error
    const entry = Array.isArray(geoip[error.list]) ? `[${error.index}]` : ''
    const path = `scheduler.geoip.${error.list}${entry}`
    throw new ConfigError(file, [{ path, line: null, message: error.message }])
  }
}

function listOf(files: string | string[] | undefined): string[] {
  if (files === undefined) return []
  return Array.isArray(files) ? files : [files]
}
