// The queries that are asked, whole packets in the file format of dnsperf's -B: each name in turn, from a resolver that
// speaks EDNS, and where so asked for another client's network each.
import { writeFileSync } from 'node:fs'
import dnsPacket from 'dns-packet'
import { OPTION } from '../../scheduler/dns/message/codes.ts'
import { formatIp, networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { cityClients } from '../lib/city-clients.ts'
import { numbers } from '../lib/made-places.ts'

/** As resolvers say since DNS Flag Day 2020. */
const UDP_BYTES = 1232
/** Of the packet's length in front of each, as over TCP. */
const LENGTH_BYTES = 2
/** What resolvers tell of a client's address (RFC 7871 §11.1). */
const SUBNET_BITS = { 4: 24, 6: 48 } as const

export interface Queries {
  readonly file: string
  readonly packets: readonly Buffer[]
}

/** `networks`: of clients, none where the resolver tells none. */
export function writeQueries(
  file: string,
  names: readonly string[],
  type: 'A' | 'AAAA',
  networks: readonly IpAddress[],
): Queries {
  const framed = Array.from({ length: Math.max(names.length, networks.length) }, (_, i) =>
    dnsPacket.streamEncode({
      type: 'query',
      id: i & 0xffff,
      questions: [{ type, name: names[i % names.length] ?? '' }],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: UDP_BYTES,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: subnetOption(networks[i]),
        },
      ],
    }),
  )
  writeFileSync(file, Buffer.concat(framed))
  return { file, packets: framed.map((one) => one.subarray(LENGTH_BYTES)) }
}

function subnetOption(network: IpAddress | undefined) {
  if (network === undefined) return []
  const { family } = network
  return [
    {
      code: OPTION.CLIENT_SUBNET,
      family: family === 4 ? 1 : 2,
      sourcePrefixLength: SUBNET_BITS[family],
      scopePrefixLength: 0,
      ip: formatIp(network),
    },
  ]
}

/** So many networks of clients that the city database knows, none twice. */
export function clientNetworks(family: 4 | 6, count: number): IpAddress[] {
  const next = numbers(23)
  // Of IPv6 the database for this benchmark knows fewer networks than are asked for: several clients of each.
  const clients = family === 4 ? cityClients(4, count * 1.1, 'any') : cityClients(6, 20_000, 'new-record')
  const networks = new Map<string, IpAddress>()
  for (let i = 0; networks.size < count; i += 1) {
    const client = clients[i % clients.length]
    if (client === undefined) throw new Error(`only ${networks.size} networks of IPv${family}`)
    const inside = family === 4 ? client : { ...client, b: next() }
    const { address } = networkOf(inside, SUBNET_BITS[family])
    networks.set(formatIp(address), address)
  }
  return [...networks.values()]
}
