// Clients and sites from the city database, the same at every run: addresses that it knows, from all over both address
// spaces, and places where such addresses are.
import { readFileSync } from 'node:fs'
import { Reader } from 'maxmind'
import { mmdbTree, NO_RECORD } from '../../src/geo/mmdb-tree.ts'
import { placeOf } from '../../src/geo/place.ts'
import type { Position } from '../../src/geo/place.ts'
import { formatIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { CITY_FILES } from '../../test/kit/city-database.ts'
import { numbers } from './made-places.ts'

/** any: each address as likely as another, so that many share a record. new-record: no two of one record. */
export type Spread = 'any' | 'new-record'

/** An address of `family` that may be in use. */
const DRAWS: Readonly<Record<4 | 6, (next: () => number) => IpAddress>> = {
  // 1.0.0.0 to 223.255.255.255.
  4: (next) => ({ family: 4, a: 0, b: 0, c: 0, d: (0x0100_0000 + (next() % 0xdf00_0000)) >>> 0 }),
  6: (next) => {
    const block = IPV6_BLOCKS[next() % IPV6_BLOCKS.length] ?? 0
    // A quarter from the whole of a block, the others from its front, where registries began.
    const rest = next() % 4 === 0 ? next() & 0xff_ffff : next() & 0x1f_ffff
    return { family: 6, a: (block * 2 ** 24 + rest) >>> 0, b: next(), c: 0, d: 1 }
  },
}

/** First bytes of what registries give out. */
const IPV6_BLOCKS = [0x20, 0x24, 0x26, 0x28, 0x2a, 0x2c]

/** Draws that find no new record before it is said that there are no more. */
const VAIN_DRAWS_MAX = 1_000_000

export function cityClients(family: 4 | 6, count: number, spread: Spread): IpAddress[] {
  const bytes = readFileSync(CITY_FILES[family])
  const tree = mmdbTree(bytes, new Reader(bytes).metadata)
  const next = numbers(family)
  const records = new Set<number>()
  const clients: IpAddress[] = []
  for (let vain = 0; clients.length < count; vain += 1) {
    if (vain > VAIN_DRAWS_MAX) throw new Error(`only ${clients.length} IPv${family} clients`)
    const client = DRAWS[family](next)
    const record = tree.recordOf(client)
    if (record === NO_RECORD || (spread === 'new-record' && records.has(record))) continue
    records.add(record)
    clients.push(client)
    vain = 0
  }
  return clients
}

/** Where clients are, for sites: some kilometres apart. */
export function cityPositions(count: number): Position[] {
  const reader = new Reader<object>(readFileSync(CITY_FILES[4]))
  const positions = new Map<string, Position>()
  for (const client of cityClients(4, count * 4, 'new-record')) {
    const position = placeOf(reader.get(formatIp(client)))?.position
    if (position === undefined) continue
    const area = `${position.lat.toFixed(1)} ${position.lon.toFixed(1)}`
    if (!positions.has(area)) positions.set(area, position)
  }
  if (positions.size < count) throw new Error(`only ${positions.size} places`)
  return [...positions.values()].slice(0, count)
}
