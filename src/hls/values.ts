// Values of HLS tags and attributes (RFC 8216bis §4.2). null for what is not well formed: it counts as absent.
import type { ByteSpan } from './playlist.ts'

/** Longer is not a duration of media, and would overflow arithmetic in ms. */
const SECONDS_MAX = 1e9

/** decimal-integer, as far as it is exact. */
export function integerOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return null
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : null
}

/** decimal-floating-point seconds → ms. */
export function millisecondsOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,20}(?:\.\d{0,30})?$/.test(text)) return null
  const seconds = Number(text)
  return seconds <= SECONDS_MAX ? seconds * 1000 : null
}

/** `n[@o]`; without offset it goes on where the range before it ended, if that was of the same resource. */
export function spanOf(text: string | undefined, before: number | null): ByteSpan | null {
  const match = /^(\d{1,16})(?:@(\d{1,16}))?$/.exec(text ?? '')
  const length = integerOf(match?.[1])
  const start = match?.[2] === undefined ? before : integerOf(match[2])
  if (length === null || start === null || !Number.isSafeInteger(start + length)) return null
  return { start, end: start + length }
}
