// Countries and autonomous systems of clients, as GeoIP gives them. Without a database that knows the address they
// are unknown, which each list answers for itself.
import type { Subject } from './access-request.ts'

export const countrySubject: Subject<string, string> = {
  read: (request) => request.place()?.country,
  show: (country) => country,
  absent: 'no country is known for the address',
  unreadable: 'the country cannot be read',
  compile(entries) {
    const countries = new Map(entries.map((country) => [country.toUpperCase(), country]))
    return { find: (country) => countries.get(country) }
  },
}

export const asnSubject: Subject<number, number> = {
  read: (request) => request.asn(),
  show: (asn) => `AS${asn}`,
  absent: 'no AS number is known for the address',
  unreadable: 'the AS number cannot be read',
  compile(entries) {
    const asns = new Map(entries.map((asn) => [asn, `AS${asn}`]))
    return { find: (asn) => asns.get(asn) }
  },
}
