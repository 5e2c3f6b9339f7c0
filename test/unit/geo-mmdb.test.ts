// One GeoIP file: the walk of its tree agrees with the library's over every size of branch and every family, what is
// remembered is what was read, and a file of another kind is refused.
import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { Reader } from 'maxmind'
import t from 'tap'
import { loadMmdb } from '../../src/geo/mmdb.ts'
import type { Mmdb } from '../../src/geo/mmdb.ts'
import { NO_RECORD, mmdbTree } from '../../src/geo/mmdb-tree.ts'
import type { MmdbTree } from '../../src/geo/mmdb-tree.ts'
import { PLACE_RECORD, placeOf } from '../../src/geo/place.ts'
import { ASN_RECORD } from '../../src/geo/asn.ts'
import { formatIp, parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { tempDirectory } from '../kit/temp.ts'

const PACKAGE = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country'

const ipv4 = fc.nat(0xffff_ffff).map((d): IpAddress => ({ family: 4, a: 0, b: 0, c: 0, d }))
// Some of what is given out of IPv6.
const ipv6 = fc
  .tuple(
    fc.constantFrom(0x2001, 0x2402, 0x240e, 0x2600, 0x2804, 0x2a02, 0x2a03, 0x2c0f),
    fc.nat(0xffff),
    fc.nat(0xffff_ffff),
  )
  .map(([a, b, d]): IpAddress => ({ family: 6, a: a * 65_536 + b, b: 0, c: 0, d }))

function ip(text: string): IpAddress {
  const address = parseIp(text)
  if (address === undefined) throw new Error(text)
  return address
}

/** Its first three bytes. */
function networkOf(i: number): string {
  return `60.${i >> 8}.${i & 255}`
}

/** Of one node, over IPv4. */
function tree(recordSize: number, bytes: string): MmdbTree {
  return mmdbTree(Buffer.from(bytes, 'hex'), { nodeCount: 1, recordSize, ipVersion: 4 })
}

function prefixIn({ find, prefixFound }: Mmdb<number>, address: IpAddress): number {
  find(address)
  return prefixFound()
}

function bitsReadOf({ recordOf, bitsRead }: MmdbTree, address: IpAddress): number {
  recordOf(address)
  return bitsRead()
}

for (const family of ['', '-ipv4', '-ipv6']) {
  t.test(`finds in country${family}.mmdb what the library finds`, async (t) => {
    const file = fileURLToPath(import.meta.resolve(`${PACKAGE}${family}.mmdb`))
    const reader = new Reader(await readFile(file))
    const database = await loadMmdb(file, PLACE_RECORD)
    let found = 0
    fc.assert(
      fc.property(family === '-ipv4' ? ipv4 : fc.oneof(ipv4, ipv6), (address) => {
        const [record, prefixLength] = reader.getWithPrefixLength(formatIp(address))
        const expected = placeOf(record)
        if (expected !== undefined) found += 1
        // The second time from what was remembered.
        for (const time of ['first', 'again']) {
          t.strictSame(database.find(address), expected, `${formatIp(address)} ${time}`)
          t.equal(database.prefixFound(), prefixLength, `${formatIp(address)} ${time}`)
        }
      }),
      { numRuns: 2000 },
    )
    t.ok(found > 50, `${found} have a record`)
  })
}

t.test('branches of 24, 28 and 32 bits', async (t) => {
  const directory = await tempDirectory(t)
  for (const size of [24, 28, 32] as const) {
    const file = path.join(directory, `${size}.mmdb`)
    // Enough nodes that numbers take more than two bytes.
    const many = Array.from({ length: 4000 }, (_, i) => [`${networkOf(i)}.0/24`, { asn: i + 1 }])
    await writeMmdb(file, { ...Object.fromEntries(many), '240e::/20': { asn: 4134 } }, size)
    const database = await loadMmdb(file, ASN_RECORD)
    const wrong = many.filter((_, i) => database.find(ip(`${networkOf(i)}.77`)) !== i + 1)
    t.strictSame(wrong, [], `${size}`)
    t.equal(database.find(ip('240e:1::1')), 4134)
    t.equal(database.find(ip('61.0.0.1')), undefined)
    t.equal(database.find(ip('240f:f000::1')), undefined)
  }
})

t.test('how many bits of an address a record depended on', async (t) => {
  const file = path.join(await tempDirectory(t), 'nested.mmdb')
  await writeMmdb(file, {
    '60.0.0.0/8': { asn: 1 },
    '60.1.0.0/16': { asn: 2 },
    '60.1.2.3/32': { asn: 3 },
    '240e::/20': { asn: 4 },
    '240e:1::5/128': { asn: 5 },
  })
  const database = await loadMmdb(file, ASN_RECORD)
  const prefixOf = (address: IpAddress) => prefixIn(database, address)
  t.equal(prefixOf(ip('60.1.2.3')), 32)
  t.equal(prefixOf(ip('60.1.2.2')), 32)
  t.equal(prefixOf(ip('60.1.128.1')), 17, 'the network, but for the half with another inside')
  t.equal(prefixOf(ip('60.128.0.1')), 9)
  t.equal(prefixOf(ip('200.0.0.1')), 1, 'nothing is known')
  t.equal(prefixOf(ip('240e:1::5')), 128)
  t.equal(prefixOf(ip('240e:800::1')), 21)
  t.equal(prefixOf(ip('8000::1')), 1)
  const wide = path.join(path.dirname(file), 'wide.mmdb')
  await writeMmdb(wide, { '::/64': { asn: 1 } })
  t.equal(prefixIn(await loadMmdb(wide, ASN_RECORD), ip('60.1.2.3')), 0, 'all of IPv4 is one record')
  t.equal(bitsReadOf(tree(24, '000002000002'), ip('2001:db8::1')), 0, 'a file of IPv4 knows no IPv6')
  t.equal(bitsReadOf(tree(24, '000000'), ip('1.1.1.1')), 32, 'a tree without end')
})

t.test('numbers that fill their branch', async (t) => {
  const sides = (of: MmdbTree) => [of.recordOf(ip('1.1.1.1')), of.recordOf(ip('200.1.1.1'))]
  t.strictSame(sides(tree(24, 'abcdeffedcba')), [0xabcdef, 0xfedcba])
  t.strictSame(sides(tree(28, 'bcdef1a9876543')), [0xabcdef1, 0x9876543])
  t.strictSame(sides(tree(32, 'f2345678fedcba98')), [0xf2345678, 0xfedcba98])
  t.strictSame(sides(tree(24, '000001000002')), [NO_RECORD, 2], 'the number of nodes is an empty branch')
  t.strictSame(sides(tree(24, '000000')), [NO_RECORD, NO_RECORD], 'a tree without end, or beyond the file')
  t.equal(tree(24, '000002000002').recordOf(ip('2001:db8::1')), NO_RECORD, 'IPv4 only')
  t.throws(() => tree(20, ''), { message: 'records of 20 bits' })
})

t.test('a record is read once for all its addresses, until another takes its place', async (t) => {
  const file = path.join(await tempDirectory(t), 'many.mmdb')
  const records = Object.fromEntries(
    Array.from({ length: 5000 }, (_, i) => [
      `${networkOf(i)}.0/24`,
      i % 7 === 0 ? { asn: 0 } : { asn: i + 1 },
    ]),
  )
  await writeMmdb(file, records)
  let reads = 0
  const database = await loadMmdb(file, {
    ...ASN_RECORD,
    read(record) {
      reads += 1
      return ASN_RECORD.read(record)
    },
  })
  const askAll = (host: number) =>
    Array.from({ length: 5000 }, (_, i) => database.find(ip(`${networkOf(i)}.${host}`)))
  const expected = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? undefined : i + 1))
  reads = 0
  t.strictSame(askAll(1), expected)
  t.ok(reads > 4000 && reads <= 5000, `${reads} read`)
  reads = 0
  t.strictSame(askAll(200), expected)
  t.ok(reads < 3000, `${reads} of them again`)
})

t.test('a file of another kind is refused, one that holds little is not', async (t) => {
  const directory = await tempDirectory(t)
  const asn = path.join(directory, 'asn.mmdb')
  await writeMmdb(asn, { '1.0.0.0/8': { autonomous_system_number: 13_335 } })
  await t.rejects(loadMmdb(asn, PLACE_RECORD), { message: /asn\.mmdb is of another kind/ })
  const small = path.join(directory, 'small.mmdb')
  await writeMmdb(small, { '192.0.2.0/24': { country_code: 'DE' } })
  t.match((await loadMmdb(small, PLACE_RECORD)).find(ip('192.0.2.1')), { country: 'DE' })
})

t.test('a damaged record that a sample meets is refused at load', async (t) => {
  const file = path.join(await tempDirectory(t), 'damaged.mmdb')
  await writeMmdb(file, { '1.0.0.0/8': { country_code: 'AU' }, '192.0.2.0/24': { country_code: 'DE' } })
  const bytes = await readFile(file)
  await using handle = await open(file, 'r+')
  // Makes a pointer to nowhere of the text.
  const at = bytes.indexOf('country_code') - 1
  await handle.write(Buffer.from([0x3f, 0xff, 0xff, 0xff, 0xff]), 0, 5, at)
  await t.rejects(loadMmdb(file, PLACE_RECORD), { message: /damaged\.mmdb is (?:damaged|of another kind)/ })
})
