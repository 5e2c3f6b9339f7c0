// GeoIP without files, for tests that are not about it.
import type { Place } from '../../src/geo/place.ts'
import type { Places } from '../../src/geo/places.ts'
import type { IpAddress } from '../../src/net/ip.ts'

/** What is not given finds nothing, and depends on no bit of an address. */
export interface MadePlaces {
  readonly find?: (address: IpAddress) => Place | undefined
  readonly findAsn?: (address: IpAddress) => number | undefined
  readonly scopeOf?: (address: IpAddress) => number
  readonly scopeOfAsn?: (address: IpAddress) => number
}

export function madePlaces({
  find = () => undefined,
  findAsn = () => undefined,
  scopeOf = () => 0,
  scopeOfAsn = () => 0,
}: MadePlaces): Places {
  return {
    find,
    findAsn,
    look: (address) => ({ found: find(address), scope: scopeOf(address) }),
    lookForAsn: (address) => ({ found: findAsn(address), scope: scopeOfAsn(address) }),
  }
}

/** Every address is at the one place given, or nowhere. */
export function uniformPlaces(place?: Place): Places {
  return madePlaces({ find: () => place })
}
