// Slice files and index snapshots of any bytes: refused or taken, never thrown at, and what is taken can be
// served. Half of the damage has its CRCs made good again, so that it gets past them. A second of it in each
// test run; for more, set EDGEWARD_FUZZ_SECONDS and run the file with node itself.
import { crc32 } from 'node:zlib'
import t from 'tap'
import { SliceIndex } from '../../edge/cache/disk/disk-index.ts'
import { sliceIdOf } from '../../edge/cache/disk/disk-name.ts'
import {
  PRELUDE_BYTES,
  decodeHead,
  decodePrelude,
  encodeRecordHead,
} from '../../edge/cache/disk/disk-record.ts'
import { decodeSnapshot, encodeSnapshot } from '../../edge/cache/disk/disk-snapshot.ts'
import { systemClock, systemRandom } from '../../src/clock.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { objectMeta } from '../kit/edge-parts.ts'

const SECONDS = Number(process.env['EDGEWARD_FUZZ_SECONDS'] ?? '1')
const BODY = Buffer.alloc(500, 7)

const RECORD = Buffer.concat([
  encodeRecordHead(
    objectMeta({
      fields: new FieldBlock(['Content-Type', 'video/mp4', 'ETag', '"v1"']),
      selecting: ['accept'],
    }),
    3,
    BODY,
  ),
  BODY,
])
const HEAD_END = PRELUDE_BYTES + RECORD.readUInt32BE(8)
/** What JSON is made of, to replace other parts of it. */
const PIECES = [
  'null',
  '-1',
  '1e999',
  '[]',
  '{}',
  '""',
  'true',
  '"\\r\\nX: y"',
  '"a"',
  ',',
  '"fields":["a"]',
  '\\u0000',
]

const below = (count: number) => Math.floor(systemRandom() * count)

/** Some of: bytes changed, a stretch cut out or doubled, a piece of JSON put in, the end cut off. */
function damage(whole: Buffer): Buffer {
  let bytes = Buffer.from(whole)
  for (let times = 1 + below(3); times > 0; times--) {
    const at = below(bytes.length + 1)
    const kind = below(5)
    if (kind === 0 && bytes.length > 0) bytes[at % bytes.length] = below(256)
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + below(40))])
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - below(40)))])
    else if (kind === 3)
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(PIECES[below(PIECES.length)] ?? ''),
        bytes.subarray(at + below(12)),
      ])
    else bytes = bytes.subarray(0, at)
  }
  return bytes
}

/** The record with this head in place of its own, and CRCs that hold. */
function withHead(head: Buffer): Buffer {
  const record = Buffer.concat([RECORD.subarray(0, PRELUDE_BYTES), head, BODY])
  record.writeUInt32BE(head.length, 8)
  record.writeUInt32BE(crc32(head), 24)
  record.writeUInt32BE(crc32(record.subarray(0, 28)), 28)
  return record
}

function tryRecord(bytes: Buffer): 'refused' | 'taken' {
  const prelude = decodePrelude(bytes)
  if (prelude === undefined) return 'refused'
  const meta = decodeHead(bytes.subarray(PRELUDE_BYTES, PRELUDE_BYTES + prelude.headBytes), prelude)
  if (meta === undefined) return 'refused'
  if (/\0|\r(?!\n)|(?<!\r)\n|\r\n(?!.+:)/.test(meta.fields.text.replace(/\r\n$/, '')))
    throw new Error('fields that end the head')
  if (meta.fields.pairs.length % 2 !== 0) throw new Error('a field without value')
  if (/[\r\n]/.test(meta.date)) throw new Error('a date of two lines')
  if (!(meta.sliceBytes > 0) || !((meta.length ?? 0) >= 0)) throw new Error('lengths that are none')
  return 'taken'
}

t.test('slice files', async (t) => {
  const seen = { refused: 0, taken: 0 }
  const endMs = systemClock.monotonic() + 500 * SECONDS
  while (systemClock.monotonic() < endMs) {
    for (let i = 0; i < 100; i++) {
      const repaired = below(2) === 0
      const bytes = repaired ? withHead(damage(RECORD.subarray(PRELUDE_BYTES, HEAD_END))) : damage(RECORD)
      try {
        seen[tryRecord(bytes)]++
      } catch (error) {
        throw new Error(`on ${bytes.toString('latin1')}`, { cause: error })
      }
    }
  }
  t.comment(seen)
  t.ok(seen.refused > 0 && seen.taken > 0)
})

t.test('index snapshots', async (t) => {
  const index = new SliceIndex(1000)
  for (let i = 0; i < 20; i++) index.add(sliceIdOf('p /a', i), 1000 + i)
  const whole = encodeSnapshot(index, 'this boot')
  t.equal([...(decodeSnapshot(whole, 'this boot') ?? [])].length, 20)
  t.equal(decodeSnapshot(whole, 'another boot'), undefined)
  const endMs = systemClock.monotonic() + 500 * SECONDS
  let taken = 0
  while (systemClock.monotonic() < endMs) {
    for (let i = 0; i < 100; i++) {
      const bytes = damage(whole)
      if (decodeSnapshot(bytes, 'this boot') !== undefined && !bytes.equals(whole)) taken++
    }
  }
  t.equal(taken, 0, 'none that was changed is taken')
})
