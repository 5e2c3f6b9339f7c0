// The file of a slice: it comes back as it went, and no damage of its head goes unseen.
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import {
  PRELUDE_BYTES,
  decodeHead,
  decodePrelude,
  encodeRecordHead,
} from '../../edge/cache/disk/disk-record.ts'
import type { ObjectMeta } from '../../edge/cache/object-meta.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { objectMeta } from '../kit/edge-parts.ts'

const META = objectMeta({
  key: 'shows /film.mp4?a=1',
  fields: new FieldBlock(['Content-Type', 'video/mp4', 'X-Latin', 'caf\xe9', 'ETag', '"v1"']),
  receivedMs: 1_782_907_200_000,
  initialAgeMs: 12.5,
  lifetimeMs: 60_000,
})
const BODY = Buffer.from('the body of slice two')

function decode(
  record: Buffer,
): { meta: ObjectMeta; index: number; bodyBytes: number; bodyCrc: number } | undefined {
  const prelude = decodePrelude(record)
  if (prelude === undefined) return undefined
  const meta = decodeHead(record.subarray(PRELUDE_BYTES, PRELUDE_BYTES + prelude.headBytes), prelude)
  return meta === undefined ? undefined : { ...prelude, meta }
}

t.test('round trip', async (t) => {
  const record = encodeRecordHead(META, 2, BODY)
  const back = decode(record)
  t.strictSame(back?.meta, META)
  t.match(back, { index: 2, bodyBytes: BODY.length, bodyCrc: crc32(BODY) })
  const bare = { ...META, etag: undefined, fields: new FieldBlock([]), length: 0 }
  t.strictSame(decode(encodeRecordHead(bare, 0, Buffer.alloc(0)))?.meta, bare)
})

t.test('any head comes back', async (t) => {
  // Any bytes that a field may have.
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((s) =>
    Buffer.from(s)
      .toString('latin1')
      .replaceAll(/[\0\r\n]/g, ''),
  )
  const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/)
  const pairs = fc.array(fc.tuple(name, text), { maxLength: 20 }).map((list) => list.flat())
  fc.assert(
    fc.property(pairs, text, fc.nat(), (fields, etag, index) => {
      const meta = { ...META, etag, fields: new FieldBlock(fields) }
      const back = decode(encodeRecordHead(meta, index, BODY))
      t.strictSame(back?.meta, meta)
      return back?.index === index
    }),
  )
  t.pass('equal')
})

t.test('every flipped byte of prelude and head is refused', async (t) => {
  const record = encodeRecordHead(META, 2, BODY)
  const taken: number[] = []
  for (let at = 0; at < record.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const damaged = Buffer.from(record)
      damaged[at] = (damaged[at] ?? 0) ^ mask
      if (decode(damaged) !== undefined) taken.push(at)
    }
  }
  t.strictSame(taken, [])
})

t.test('every truncation is refused', async (t) => {
  const record = encodeRecordHead(META, 2, BODY)
  const taken: number[] = []
  for (let length = 0; length < record.length; length++) {
    if (decode(record.subarray(0, length)) !== undefined) taken.push(length)
  }
  t.strictSame(taken, [])
})

t.test('a head that is no object’s is refused, whatever its CRC says', async (t) => {
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"key":1}',
    JSON.stringify({ ...META, length: -1 }),
    '{"key":"a"',
    '\xff',
  ]) {
    const head = Buffer.from(text, 'latin1')
    const prelude = { headBytes: head.length, index: 0, bodyBytes: 0, bodyCrc: 0, headCrc: crc32(head) }
    t.equal(decodeHead(head, prelude), undefined, text)
  }
})
