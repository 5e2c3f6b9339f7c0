// Range requests (RFC 9110 §14): one byte range of a body of known length.

/** Half-open: `start` included, `end` not. */
export interface ByteRange {
  start: number
  end: number
}

/** 'ignore': no range, or one this server answers with the whole body (several ranges, other units, bad syntax). */
export type RangeOutcome = ByteRange | 'ignore' | 'unsatisfiable'

const SINGLE = /^bytes=\s*(?:(\d{1,16})-(\d{0,16})|-(\d{1,16}))\s*$/i

export function resolveRange(field: string | undefined, length: number): RangeOutcome {
  if (field === undefined) return 'ignore'
  const match = SINGLE.exec(field)
  if (match === null) return 'ignore'
  if (match[3] !== undefined) return suffix(Number(match[3]), length)
  const first = Number(match[1])
  const last = match[2] === '' ? Number.POSITIVE_INFINITY : Number(match[2])
  if (last < first) return 'ignore'
  if (first >= length) return 'unsatisfiable'
  return { start: first, end: Math.min(last + 1, length) }
}

function suffix(count: number, length: number): RangeOutcome {
  if (count === 0 || length === 0) return 'unsatisfiable'
  return { start: Math.max(0, length - count), end: length }
}

/**
 * The byte a range request starts at before the length is known, to decide what to fetch first;
 * undefined for a suffix or no single range.
 */
export function rangeStart(field: string | undefined): number | undefined {
  const match = field === undefined ? null : SINGLE.exec(field)
  return match?.[1] === undefined ? undefined : Number(match[1])
}

/** A single range as asked for, before the length is known; `end` null: to the end. undefined for any other. */
export function rangeSpan(field: string | undefined): { start: number; end: number | null } | undefined {
  const match = field === undefined ? null : SINGLE.exec(field)
  if (match?.[1] === undefined) return undefined
  const start = Number(match[1])
  const end = match[2] === undefined || match[2] === '' ? null : Number(match[2]) + 1
  return end !== null && end <= start ? undefined : { start, end }
}

export interface ContentRange {
  start: number
  end: number
  /** null for `*`. */
  total: number | null
}

/** `bytes 0-99/1000` → { start: 0, end: 100, total: 1000 }; undefined when it is not one. */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(?:(\d{1,16})|\*)$/i.exec(text ?? '')
  if (match === null) return undefined
  const range = {
    start: Number(match[1]),
    end: Number(match[2]) + 1,
    total: match[3] === undefined ? null : Number(match[3]),
  }
  if (range.end <= range.start || (range.total !== null && range.end > range.total)) return undefined
  return range
}
