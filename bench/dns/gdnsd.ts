// gdnsd with its geoip plugin, which knows for each network of the city database beforehand which sites are nearest: a
// query costs it a walk through a tree of such answers.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { startUntil } from '../lib/processes.ts'
import type { RunningProgram } from '../lib/processes.ts'
import { versionOf } from '../peers/peer.ts'
import { isAnswered } from './ask.ts'
import { NAMES, SITES, TTL_SECONDS, ZONE } from './service.ts'
import type { Service } from './service.ts'

export interface NameServer {
  readonly version: string
  readonly program: RunningProgram
}

export async function startGdnsd(service: Service): Promise<NameServer> {
  const version = versionOf('gdnsd', '-V')
  if (version === undefined) throw new Error('needs gdnsd: apt-get install gdnsd')
  const { directory, cpus, port } = service
  mkdirSync(path.join(directory, 'zones'))
  writeFileSync(path.join(directory, 'config'), configuration(service))
  writeFileSync(path.join(directory, 'zones', ZONE), zone())
  const program = await startUntil(
    { name: 'gdnsd', command: 'gdnsd', args: ['-c', directory, 'start'], cpus },
    () => isAnswered(port, NAMES[0] ?? ZONE),
  )
  return { version, program }
}

function configuration({ directory, port, cityFile }: Service): string {
  const coordinates = SITES.map(({ id, location }) => `${id} => [ ${location.lat}, ${location.lon} ]`)
  const addresses = SITES.map(({ id, addresses: of }) => {
    const numbered = (family: 4 | 6) => of[family].map((address, i) => `${i} => ${address}`).join(', ')
    return `${id} => { addrs_v4 => { ${numbered(4)} }, addrs_v6 => { ${numbered(6)} } }`
  })
  return `
options => {
  listen => [ "127.0.0.1:${port}", "[::1]:${port}" ]
  udp_threads => 1
  tcp_threads => 1
  run_dir => ${directory}/run
  state_dir => ${directory}/state
}
plugins => {
  geoip => {
    maps => {
      nearest => {
        geoip2_db => ${cityFile}
        datacenters => [ ${SITES.map(({ id }) => id).join(', ')} ]
        auto_dc_coords => { ${coordinates.join(', ')} }
      }
    }
    resources => {
      edges => {
        map => nearest
        service_types => up
        dcmap => { ${addresses.join(', ')} }
      }
    }
  }
}
`
}

function zone(): string {
  const head = `@ SOA ns1.example.net. hostmaster.example.net. ( 1 7200 1800 259200 30 )\n@ NS ns1.example.net.\n`
  return head + NAMES.map((name) => `${name}. ${TTL_SECONDS} DYNA geoip!edges\n`).join('')
}
