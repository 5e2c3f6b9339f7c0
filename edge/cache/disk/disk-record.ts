// The file of one slice: a fixed prelude, the object's head as JSON, then the body. Each part carries a CRC,
// so that a torn, flipped or foreign file is told apart before a byte of it is served.
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { FieldBlock } from '../../../src/http/fields.ts'
import type { ObjectMeta } from '../object-meta.ts'

const MAGIC = 0x45_57_53_31 // 'EWS1'
const FORMAT = 1
export const PRELUDE_BYTES = 32
/** Spaces behind the head of a first slice, so that the next 304 may say a little more. */
const HEAD_SLACK_BYTES = 256

/* Prelude, big-endian: 0 magic u32 · 4 format u16 · 6 reserved u16 · 8 head bytes u32 · 12 slice index u32 ·
   16 body bytes u32 · 20 CRC of the body u32 · 24 CRC of the head u32 · 28 CRC of the 28 bytes before u32 */

export interface Prelude {
  headBytes: number
  index: number
  bodyBytes: number
  bodyCrc: number
  headCrc: number
}

const playlistSchema = z.object({
  stated: z.boolean(),
  blocking: z.boolean(),
  media: z
    .object({ targetMs: z.number(), partTargetMs: z.number().nullable(), live: z.boolean() })
    .nullable(),
})

const fieldText = z.string().regex(/^[^\0\r\n]*$/)

/** Name, value, name, value …: names are tokens (RFC 9110 §5.1). */
function areFields(texts: readonly string[]): boolean {
  return texts.length % 2 === 0 && texts.every((text, i) => i % 2 === 1 || FIELD_NAME.test(text))
}

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const headSchema = z.object({
  key: z.string(),
  version: z.string(),
  status: z.number().int(),
  // Pairs, and nothing in them that would end a line of the reply.
  fields: z.array(fieldText).refine(areFields),
  date: fieldText,
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  length: z.number().int().nonnegative(),
  sliceBytes: z.number().int().positive(),
  ranges: z.boolean(),
  receivedMs: z.number(),
  initialAgeMs: z.number(),
  lifetimeMs: z.number(),
  staleWhileRevalidateMs: z.number(),
  staleIfErrorMs: z.number(),
  selecting: z.array(z.string()),
  // Files from before there were purges.
  asOf: z.number().int().nonnegative().default(0),
  tags: z.array(z.string()).optional(),
  cacheStatus: fieldText.optional(),
  playlist: playlistSchema.optional(),
})

/** Prelude and head; the body follows in the file. */
export function encodeRecordHead(meta: ObjectMeta, index: number, body: Uint8Array): Buffer {
  const slack = index === 0 ? HEAD_SLACK_BYTES : 0
  const head = Buffer.from(headText(meta) + ' '.repeat(slack), 'utf8')
  return encodeRecord(head, { index, bodyBytes: body.length, bodyCrc: crc32(body) })
}

/** The same for another head of the same body in the same place; undefined when it is too long for that. */
export function encodeHeadAgain(meta: ObjectMeta, prelude: Prelude): Buffer | undefined {
  const text = Buffer.from(headText(meta), 'utf8')
  if (text.length > prelude.headBytes) return undefined
  const head = Buffer.alloc(prelude.headBytes, ' ')
  text.copy(head)
  return encodeRecord(head, prelude)
}

function headText(meta: ObjectMeta): string {
  return JSON.stringify({ ...meta, fields: meta.fields.pairs, held: undefined })
}

function encodeRecord(head: Buffer, of: Pick<Prelude, 'index' | 'bodyBytes' | 'bodyCrc'>): Buffer {
  const record = Buffer.allocUnsafe(PRELUDE_BYTES + head.length)
  record.writeUInt32BE(MAGIC, 0)
  record.writeUInt16BE(FORMAT, 4)
  record.writeUInt16BE(0, 6)
  record.writeUInt32BE(head.length, 8)
  record.writeUInt32BE(of.index, 12)
  record.writeUInt32BE(of.bodyBytes, 16)
  record.writeUInt32BE(of.bodyCrc, 20)
  record.writeUInt32BE(crc32(head), 24)
  record.writeUInt32BE(crc32(record.subarray(0, 28)), 28)
  record.set(head, PRELUDE_BYTES)
  return record
}

/** undefined when these bytes are not the start of a slice file of this format. */
export function decodePrelude(bytes: Buffer): Prelude | undefined {
  if (bytes.length < PRELUDE_BYTES || bytes.readUInt32BE(28) !== crc32(bytes.subarray(0, 28)))
    return undefined
  if (bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt16BE(4) !== FORMAT) return undefined
  return {
    headBytes: bytes.readUInt32BE(8),
    index: bytes.readUInt32BE(12),
    bodyBytes: bytes.readUInt32BE(16),
    bodyCrc: bytes.readUInt32BE(20),
    headCrc: bytes.readUInt32BE(24),
  }
}

export function decodeHead(bytes: Uint8Array, prelude: Prelude): ObjectMeta | undefined {
  if (bytes.length !== prelude.headBytes || crc32(bytes) !== prelude.headCrc) return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
  const parsed = headSchema.safeParse(value)
  if (!parsed.success) return undefined
  const { fields, etag, lastModified, playlist, ...rest } = parsed.data
  const held = { upTo: rest.asOf }
  const meta = { ...rest, etag, lastModified, held, fields: new FieldBlock(fields) }
  return playlist === undefined ? meta : { ...meta, playlist }
}
