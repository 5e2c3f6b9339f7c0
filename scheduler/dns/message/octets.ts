// Numbers and octets in messages: network byte order, no views, no exceptions. Reads past an array's end give 0; who
// must not read there checks before.

/** A message's header; the question stands right behind it. */
export const HEADER_BYTES = 12

/** What a record has between owner and data: TYPE, CLASS, TTL and RDLENGTH. */
export const RECORD_FIXED_BYTES = 10

export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

export function writeU16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8
  out[at + 1] = value
}

export function writeU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
}

/** Copies a few dozen octets, for which a loop is faster than `set` of a view. Gives where they end. */
export function copyOctets(
  out: Uint8Array,
  at: number,
  from: Uint8Array,
  fromAt: number,
  count: number,
): number {
  for (let i = 0; i < count; i += 1) out[at + i] = from[fromAt + i] ?? 0
  return at + count
}

/** One octet a character. Gives where they end. */
export function writeLatin1(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i += 1) out[at + i] = text.charCodeAt(i)
  return at + text.length
}
