// CMCD (CTA-5004): what a player says of itself with a request, in the query or in four header fields. It is read
// for metrics and for what it will want next; it is no part of the cache key and never goes upstream.
import { decodeCmcd } from '@svta/cml-cmcd'
import type { HttpRequest } from '../../src/http/transaction.ts'

export interface PlayerNote {
  /** `ot`, one of the letters that the specification has; undefined: not said, or another. */
  objectType: string | undefined
  /** `sf`. */
  format: string | undefined
  /** `br`, bits per second. */
  encodedBitrate: number | undefined
  /** `mtp`, bits per second. */
  throughput: number | undefined
  /** `bl`, seconds. */
  bufferSeconds: number | undefined
  /** `bs`: it has run out of media since the last request. */
  starved: boolean
  /** `nor`: what it will ask for next, relative to this request. */
  next: string | undefined
  /** `nrr`: the range of it. */
  nextRange: string | undefined
}

/** Longer than players write: what is behind it is not read. */
const TEXT_MAX = 2048

const FIELDS = ['cmcd-session', 'cmcd-request', 'cmcd-object', 'cmcd-status'] as const

/** undefined: the player says nothing; 'malformed': nothing that can be read. */
export function readCmcd(request: HttpRequest): PlayerNote | 'malformed' | undefined {
  const inQuery = fromQuery(request.target)
  const text = inQuery === undefined ? fromFields(request) : inQuery
  if (text === undefined) return undefined
  if (text === null || text.length > TEXT_MAX) return 'malformed'
  try {
    return noteOf(new Map(Object.entries(decodeCmcd(text))))
  } catch {
    return 'malformed'
  }
}

/** null: there, but not well escaped. */
function fromQuery(target: string): string | null | undefined {
  const match = /[?&]CMCD=([^&#]*)/.exec(target)
  if (match === null) return undefined
  try {
    return decodeURIComponent(match[1] ?? '')
  } catch {
    return null
  }
}

function fromFields(request: HttpRequest): string | undefined {
  // A player that uses the fields sends these two with nearly every request: the others are not looked for alone.
  if (request.header('cmcd-session') === undefined && request.header('cmcd-request') === undefined)
    return undefined
  return FIELDS.map((name) => request.header(name))
    .filter((value) => value !== undefined && value !== '')
    .join(',')
}

function noteOf(data: ReadonlyMap<string, unknown>): PlayerNote {
  const kilobits = (key: string) => {
    const value = numberOf(data.get(key))
    return value === undefined ? undefined : value * 1000
  }
  const milliseconds = numberOf(data.get('bl'))
  return {
    objectType: wordOf(data.get('ot'), /^(?:m|a|v|av|i|c|tt|k|o)$/),
    format: wordOf(data.get('sf'), /^[dhso]$/),
    encodedBitrate: kilobits('br'),
    throughput: kilobits('mtp'),
    bufferSeconds: milliseconds === undefined ? undefined : milliseconds / 1000,
    starved: plain(data.get('bs')) === true,
    next: uriOf(data.get('nor')),
    nextRange: wordOf(data.get('nrr'), /^\d{1,15}-\d{0,15}$/),
  }
}

/** Version 2 has lists of values, and values with parameters: the first one, by itself. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return plain(value[0])
  if (typeof value === 'object' && value !== null && 'value' in value) return plain(value.value)
  return value
}

function numberOf(value: unknown): number | undefined {
  const number = plain(value)
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined
}

function wordOf(value: unknown, allowed: RegExp): string | undefined {
  const word = plain(value)
  const text = typeof word === 'symbol' ? word.description : word
  return typeof text === 'string' && allowed.test(text) ? text : undefined
}

function uriOf(value: unknown): string | undefined {
  const text = plain(value)
  if (typeof text !== 'string' || text === '') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
