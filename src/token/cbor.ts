// CBOR (RFC 8949) as far as tokens need it: decoding that is strict and bounded, and encoding. Refused: indefinite
// lengths, map keys that are neither integer nor text, duplicate keys, integers beyond 2^53, text that is not UTF-8,
// anything after the item. Lengths in more bytes than needed are taken: they are signed as they are.

export type CborKey = number | string
export type Cbor =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | CborTag
  | readonly Cbor[]
  | ReadonlyMap<CborKey, Cbor>

/** Major type 6. */
export interface CborTag {
  readonly tag: number
  readonly value: Cbor
}

/** Containers and tags inside each other. */
export const CBOR_DEPTH_MAX = 12
/** Items of one message, all levels together. */
export const CBOR_ITEMS_MAX = 1024

/** undefined: not one well-formed item within the bounds. */
export function decodeCbor(bytes: Uint8Array): Cbor | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reader = { bytes, view, at: 0, items: 0 }
  const value = readItem(reader, 0)
  return reader.at === bytes.length ? value : undefined
}

interface Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
  items: number
}

function readItem(reader: Reader, depth: number): Cbor | undefined {
  reader.items += 1
  const first = reader.bytes[reader.at]
  if (depth > CBOR_DEPTH_MAX || reader.items > CBOR_ITEMS_MAX || first === undefined) return undefined
  reader.at += 1
  const major = first >> 5
  const info = first & 0x1f
  if (major === 7) return readSimple(reader, info)
  const argument = readArgument(reader, info)
  if (argument === undefined) return undefined
  if (major === 0) return argument
  if (major === 1) return -1 - argument
  if (major === 2) return take(reader, argument)
  if (major === 3) return readText(reader, argument)
  if (major === 4) return readArray(reader, argument, depth)
  if (major === 5) return readMap(reader, argument, depth)
  const value = readItem(reader, depth + 1)
  return value === undefined ? undefined : { tag: argument, value }
}

function readArgument(reader: Reader, info: number): number | undefined {
  if (info < 24) return info
  const length = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
  const { view, at } = reader
  if (length === 0 || at + length > view.byteLength) return undefined
  reader.at += length
  if (length === 1) return view.getUint8(at)
  if (length === 2) return view.getUint16(at)
  if (length === 4) return view.getUint32(at)
  const value = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
  return Number.isSafeInteger(value) ? value : undefined
}

function take(reader: Reader, length: number): Uint8Array | undefined {
  if (length > reader.bytes.length - reader.at) return undefined
  reader.at += length
  return reader.bytes.subarray(reader.at - length, reader.at)
}

/** One for all: to make one for each text took longer than the rest of a hostile message. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readText(reader: Reader, length: number): string | undefined {
  const bytes = take(reader, length)
  if (bytes === undefined) return undefined
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

function readArray(reader: Reader, length: number, depth: number): Cbor[] | undefined {
  const items: Cbor[] = []
  while (items.length < length) {
    const item = readItem(reader, depth + 1)
    if (item === undefined) return undefined
    items.push(item)
  }
  return items
}

function readMap(reader: Reader, length: number, depth: number): Map<CborKey, Cbor> | undefined {
  const map = new Map<CborKey, Cbor>()
  while (map.size < length) {
    const key = readItem(reader, depth + 1)
    if (typeof key !== 'string' && (typeof key !== 'number' || !Number.isInteger(key))) return undefined
    const value = readItem(reader, depth + 1)
    if (value === undefined || map.has(key)) return undefined
    map.set(key, value)
  }
  return map
}

function readSimple(reader: Reader, info: number): Cbor | undefined {
  if (info === 20 || info === 21) return info === 21
  if (info === 22) return null
  const { view, at } = reader
  const length = info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
  if (length === 0 || at + length > view.byteLength) return undefined
  reader.at += length
  if (length === 2) return halfFloat(view.getUint16(at))
  return length === 4 ? view.getFloat32(at) : view.getFloat64(at)
}

/** RFC 8949 appendix D. */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f
  const mantissa = bits & 0x3ff
  const magnitude =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent === 31
        ? mantissa === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (mantissa + 1024) * 2 ** (exponent - 25)
  return (bits & 0x8000) === 0 ? magnitude : -magnitude
}

/** Shortest lengths; maps in their own order; numbers that are no integers as 64 bits. */
export function encodeCbor(value: Cbor): Buffer {
  const parts: Uint8Array[] = []
  encodeInto(value, parts)
  return Buffer.concat(parts)
}

function encodeInto(value: Cbor, parts: Uint8Array[]): void {
  if (typeof value === 'number') parts.push(number(value))
  else if (typeof value === 'string') parts.push(head(3, Buffer.byteLength(value)), Buffer.from(value))
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 0xf5 : 0xf4))
  else if (value === null) parts.push(Buffer.of(0xf6))
  else if (value instanceof Uint8Array) parts.push(head(2, value.length), value)
  else if (isTag(value)) {
    parts.push(head(6, value.tag))
    encodeInto(value.value, parts)
  } else if (isMap(value)) {
    parts.push(head(5, value.size))
    for (const [key, item] of value) {
      encodeInto(key, parts)
      encodeInto(item, parts)
    }
  } else {
    parts.push(head(4, value.length))
    for (const item of value) encodeInto(item, parts)
  }
}

export function isTag(value: unknown): value is CborTag {
  return typeof value === 'object' && value !== null && 'tag' in value
}

export function isMap(value: unknown): value is ReadonlyMap<CborKey, Cbor> {
  return value instanceof Map
}

function number(value: number): Buffer {
  if (Number.isSafeInteger(value)) return value < 0 ? head(1, -1 - value) : head(0, value)
  const float = Buffer.alloc(9)
  float[0] = 0xfb
  float.writeDoubleBE(value, 1)
  return float
}

function head(major: number, argument: number): Buffer {
  const type = major << 5
  if (argument < 24) return Buffer.of(type | argument)
  if (argument < 2 ** 8) return Buffer.of(type | 24, argument)
  const long = Buffer.alloc(argument < 2 ** 16 ? 3 : argument < 2 ** 32 ? 5 : 9)
  long[0] = type | (long.length === 3 ? 25 : long.length === 5 ? 26 : 27)
  if (long.length === 3) long.writeUInt16BE(argument, 1)
  else if (long.length === 5) long.writeUInt32BE(argument, 1)
  else long.writeBigUInt64BE(BigInt(argument), 1)
  return long
}
