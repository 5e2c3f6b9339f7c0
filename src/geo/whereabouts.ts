// Where one client is, for the rules that ask: looked up when it is first asked for, and once. Addresses that mean
// something on a private network only are nowhere, whatever a database says of them.
import type { IpAddress } from '../net/ip.ts'
import type { Place } from './place.ts'
import type { Places } from './places.ts'
import { isUnroutable } from './unroutable.ts'

export interface Whereabouts {
  readonly place: () => Place | undefined
  readonly asn: () => number | undefined
}

/** null for places: no database was loaded. */
export function whereaboutsOf(places: Places | null, address: IpAddress | undefined): Whereabouts {
  if (places === null || address === undefined) return NOWHERE
  // Most clients are never asked for: nothing is looked up, not even whether the address is routable.
  let isKnown: boolean | undefined
  const isKnowable = () => (isKnown ??= !isUnroutable(address))
  let place: Place | null | undefined
  let asn: number | null | undefined
  return {
    place() {
      if (place === undefined) place = (isKnowable() ? places.find(address) : undefined) ?? null
      return place ?? undefined
    },
    asn() {
      if (asn === undefined) asn = (isKnowable() ? places.findAsn(address) : undefined) ?? null
      return asn ?? undefined
    },
  }
}

const NOWHERE: Whereabouts = { place: () => undefined, asn: () => undefined }
