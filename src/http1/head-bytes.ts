// A request head as the bytes that it came as, for who answers without making text of it.

export type HeadMethod = 'GET' | 'HEAD' | 'OPTIONS' | 'POST'

/** What a head says. It holds as long as the call that gives it. */
export interface HeadBytes {
  readonly method: HeadMethod
  readonly bytes: Buffer
  /** Of the target in `bytes`; RFC 3986 characters only, and `/` first. */
  readonly targetStart: number
  readonly targetEnd: number
  /** The one Host field. */
  readonly hostField: number
  /** By a name from `nameBytes`; NO_FIELD or SEVERAL_FIELDS where it is not one. */
  fieldNamed(lowerName: Uint8Array): number
  /** Of a field's value in `bytes`, without the blanks around it. */
  valueStart(field: number): number
  valueEnd(field: number): number
}

export const NO_FIELD = -1
export const SEVERAL_FIELDS = -2

/** A field's name in lower case. */
export function nameBytes(lowerName: string): Uint8Array {
  return Buffer.from(lowerName, 'latin1')
}

/** RFC 9110 §5.1: case does not matter. */
export function isNamed(bytes: Uint8Array, start: number, end: number, lowerName: Uint8Array): boolean {
  if (end - start !== lowerName.length) return false
  for (let i = 0; i < lowerName.length; i++) {
    const byte = bytes[start + i] ?? 0
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte
    if (lower !== lowerName[i]) return false
  }
  return true
}
