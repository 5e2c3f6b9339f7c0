// PowerDNS with the GeoIP backend: a name is a service that goes by the country of the client's record, and a record for
// each country has the addresses of a site. Caches as they are by default; they keep nothing that depended on the client.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import { startUntil } from '../lib/processes.ts'
import { versionOf } from '../peers/peer.ts'
import { isAnswered } from './ask.ts'
import type { NameServer } from './gdnsd.ts'
import { NAMES, SITES, TTL_SECONDS, ZONE } from './service.ts'
import type { Service } from './service.ts'

/** Where the country is unknown. */
const ELSEWHERE = `elsewhere.${ZONE}`

export async function startPowerDns(service: Service, countries: readonly string[]): Promise<NameServer> {
  const version = versionOf('pdns_server', '--version')
  if (version === undefined) throw new Error('needs PowerDNS: apt-get install pdns-server pdns-backend-geoip')
  const { directory, cpus, port } = service
  writeFileSync(path.join(directory, 'pdns.conf'), configuration(service))
  writeFileSync(path.join(directory, 'zones.yaml'), stringify(zones(countries)))
  const program = await startUntil(
    { name: 'powerdns', command: 'pdns_server', args: [`--config-dir=${directory}`], cpus },
    () => isAnswered(port, NAMES[0] ?? ZONE),
  )
  return { version, program }
}

/** With one distributor thread the receiver answers itself, which on one core is faster than handing queries on. */
function configuration({ directory, port, cityFile }: Service): string {
  return `
launch=geoip
geoip-database-files=mmdb:${cityFile}
geoip-zones-file=${directory}/zones.yaml
edns-subnet-processing=yes
local-address=127.0.0.1, ::1
local-port=${port}
receiver-threads=1
distributor-threads=1
socket-dir=${directory}
daemon=no
guardian=no
loglevel=3
`
}

function zones(countries: readonly string[]) {
  const byCountry = countries.map((country, i) => [
    `${country.toLowerCase()}.${ZONE}`,
    addressesOf(i % SITES.length),
  ])
  const soa = 'ns1.example.net hostmaster.example.net 1 7200 1800 259200 30'
  return {
    domains: [
      {
        domain: ZONE,
        ttl: TTL_SECONDS,
        records: {
          [ZONE]: [{ soa }, { ns: 'ns1.example.net' }],
          [ELSEWHERE]: addressesOf(0),
          ...Object.fromEntries(byCountry),
        },
        services: Object.fromEntries(NAMES.map((name) => [name, [`%cc.${ZONE}`, ELSEWHERE]])),
      },
    ],
  }
}

function addressesOf(site: number) {
  const of = SITES[site]?.addresses
  return [...(of?.[4] ?? []).map((a) => ({ a })), ...(of?.[6] ?? []).map((aaaa) => ({ aaaa }))]
}
