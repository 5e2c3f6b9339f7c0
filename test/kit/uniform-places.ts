// GeoIP without files, for tests that are not about it: every address is at the one place given, or nowhere.
import type { Place } from '../../src/geo/place.ts'
import type { Places } from '../../src/geo/places.ts'

export function uniformPlaces(place?: Place): Places {
  return { find: () => place, findAsn: () => undefined, scopeOf: () => 0, scopeOfAsn: () => 0 }
}
