// The times that tokens write: seconds since the epoch, decimal or hexadecimal, in exactly as many digits as this
// era has. The bound is for safety: several schemes hash a path and a time with nothing between them, so that with
// times of any length the URL signed for `/part1` at 1700000000 would also be one for `/part`, until 11700000000.

export type TimeFormat = 'decimal' | 'hex'

/** 2001-09-09 to 2286-11-20, and 1978-07-04 to 2106-02-07. */
const PATTERN = { decimal: /^[1-9]\d{9}$/, hex: /^(?:0[xX])?[1-9A-Fa-f][0-9A-Fa-f]{7}$/ } as const

/** Milliseconds since the epoch; undefined: not a time in this format. */
export function parseTimestamp(text: string, format: TimeFormat): number | undefined {
  if (!PATTERN[format].test(text)) return undefined
  return Number.parseInt(text, format === 'hex' ? 16 : 10) * 1000
}

/** Fractions of a second are cut off. Throws a RangeError for a time that parseTimestamp would not take. */
export function formatTimestamp(timeMs: number, format: TimeFormat): string {
  const text = Math.floor(timeMs / 1000).toString(format === 'hex' ? 16 : 10)
  if (parseTimestamp(text, format) === undefined) throw new RangeError('not a time that a token can hold')
  return text
}
