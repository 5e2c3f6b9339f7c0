// A record that is read where it lies says what the library's decoder and the rules of places find in it: for any shape
// of record, whatever stands beside and in place of what is looked for, in real files, and in damaged ones without harm.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import { Reader } from 'maxmind'
import t from 'tap'
import { ASN_RECORD } from '../../src/geo/asn.ts'
import type { RecordKind } from '../../src/geo/mmdb.ts'
import { recordReader } from '../../src/geo/mmdb-record.ts'
import type { RecordReader } from '../../src/geo/mmdb-record.ts'
import { NO_RECORD, mmdbTree } from '../../src/geo/mmdb-tree.ts'
import { PLACE_RECORD } from '../../src/geo/place.ts'
import { formatIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { CITY_FILES } from '../kit/city-database.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import type { MmdbValue } from '../kit/mmdb-file.ts'
import { tempDirectory } from '../kit/temp.ts'

const KINDS = [PLACE_RECORD, ASN_RECORD]
/** Behind the tree: its separator from the data. */
const SEPARATOR_BYTES = 16

const PLACE_KEYS = ['city', 'country_code', 'country', 'registered_country', 'iso_code']
const POSITION_KEYS = ['location', 'latitude', 'longitude']
const OTHER_KEYS = ['autonomous_system_number', 'asn', 'traits', 'a-key-that-is-longer-than-28-bytes']
const key = fc.constantFrom(...PLACE_KEYS, ...POSITION_KEYS, ...OTHER_KEYS)
const scalar = fc.oneof(
  fc.constantFrom('', 'DE', 'CN', 'de', 'Köln', 'Ä', '12.5', 'AS4134', 'x'.repeat(300), 'y'.repeat(70_000)),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.integer({ min: -180, max: 180 }).map((degrees) => degrees + 0.25),
  fc.boolean(),
)
const value: fc.Arbitrary<MmdbValue> = fc.letrec<{ any: MmdbValue }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(key, tie('any'), { maxKeys: 8, noNullPrototype: true }),
  ),
})).any
const records = fc.array(fc.dictionary(key, value, { maxKeys: 10, noNullPrototype: true }), {
  minLength: 1,
  maxLength: 8,
})

/** From minus the bound. */
const degrees = (bound: number) => fc.double({ min: -bound, max: bound, noNaN: true })

function ipv4(d: number): IpAddress {
  return { family: 4, a: 0, b: 0, c: 0, d }
}

/** Reads the record of an address. */
function readerOf(
  bytes: Buffer,
  kind: Pick<RecordKind<unknown>, 'fields' | 'read'>,
): (address: IpAddress) => unknown {
  const { metadata } = new Reader<object>(bytes)
  const { nodeCount, searchTreeSize } = metadata
  const tree = mmdbTree(bytes, metadata)
  const read: RecordReader = recordReader(bytes, searchTreeSize + SEPARATOR_BYTES, kind.fields)
  return (address) => {
    const record = tree.recordOf(address)
    return record === NO_RECORD ? undefined : kind.read(read(record - nodeCount + searchTreeSize))
  }
}

t.test('whatever a record holds, the fields that are wanted are those that the library finds', async (t) => {
  const directory = await tempDirectory(t)
  let useful = 0
  await fc.assert(
    fc.asyncProperty(records, async (made) => {
      const file = path.join(directory, 'made.mmdb')
      await writeMmdb(file, Object.fromEntries(made.map((record, i) => [`60.${i}.0.0/16`, record])))
      const bytes = await readFile(file)
      const reader = new Reader<object>(bytes)
      for (const kind of KINDS) {
        const find = readerOf(bytes, kind)
        made.forEach((_record, i) => {
          const address = ipv4(60 * 2 ** 24 + i * 2 ** 16 + 9)
          const expected = kind.read(reader.get(formatIp(address)))
          if (expected !== undefined) useful += 1
          assert.deepEqual(find(address), expected)
        })
      }
    }),
    { numRuns: 100, examples: [[[{ latitude: 0.25, longitude: 0.25, location: false }]]] },
  )
  t.ok(useful > 10, `${useful} say something`)
})

t.test('the city database', async () => {
  const bytes = await readFile(CITY_FILES[4])
  const reader = new Reader<object>(bytes)
  const find = readerOf(bytes, PLACE_RECORD)
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (d) => {
      const address = ipv4(d)
      assert.deepEqual(find(address), PLACE_RECORD.read(reader.get(formatIp(address))), formatIp(address))
    }),
    { numRuns: 1000 },
  )
})

t.test('what is packed is unpacked the same', (t) => {
  const position = fc.record({ lat: degrees(90), lon: degrees(180) }, { noNullPrototype: true })
  const country = fc.stringMatching(/^[A-Z]{2}$/)
  const place = fc.record(
    { country: fc.option(country, { nil: undefined }), position: fc.option(position, { nil: undefined }) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(place, (one) => {
      const table = new Float64Array(8)
      PLACE_RECORD.pack(one, table, 3)
      assert.deepEqual(PLACE_RECORD.unpack(table, 3), one)
    }),
  )
  t.end()
})

t.test('any bytes for a record end, as a value or an error', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), (bytes, offset) => {
      const read = recordReader(Buffer.from(bytes), 0, PLACE_RECORD.fields)
      try {
        PLACE_RECORD.read(read(offset))
      } catch (error) {
        if (!(error instanceof Error)) throw error
      }
    }),
    { numRuns: 20_000 },
  )
  t.end()
})
