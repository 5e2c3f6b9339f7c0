// Resource records, and their encoding ahead of any reply: the sections that answer a name are encoded once, with
// owners compressed against the question, and can then be copied behind every question of that name, in whatever case
// it was asked. Every reply is made of such sections.
import assert from 'node:assert/strict'
import { CLASS, TYPE } from './codes.ts'
import { isInside } from './names.ts'
import type { WireName } from './names.ts'
import { HEADER_BYTES, RECORD_FIXED_BYTES, copyOctets, writeLatin1, writeU16, writeU32 } from './octets.ts'

/** Of class IN. */
export interface DnsRecord {
  readonly owner: WireName
  readonly type: number
  readonly ttlSeconds: number
  /** In wire form; names in it are not compressed. */
  readonly data: Uint8Array
}

export interface Sections {
  readonly answer?: readonly DnsRecord[]
  readonly authority?: readonly DnsRecord[]
  readonly additional?: readonly DnsRecord[]
}

/** Sections as they stand in a message right after the question, with their counts. */
export interface PreparedSections {
  /** From its start. */
  readonly bytes: Uint8Array
  /** Octets of `bytes` that they take. */
  readonly end: number
  readonly answers: number
  readonly authorities: number
  readonly additionals: number
  /** Where the additional section starts in `bytes`. */
  readonly additionalAt: number
}

export const NO_SECTIONS: PreparedSections = {
  bytes: new Uint8Array(0),
  end: 0,
  answers: 0,
  authorities: 0,
  additionals: 0,
  additionalAt: 0,
}

const POINTER = 0xc000

/** Where sections are encoded that nobody keeps: most answers are made for one reply. Larger ones have their own. */
const passing = Buffer.allocUnsafeSlow(4096)

/** To be kept. */
export function prepareSections(question: WireName, sections: Sections): PreparedSections {
  const { bytes, end, answers, authorities, additionals, additionalAt } = encodeSections(question, sections)
  // In the order of that: one shape, and no spreading, for what writes them.
  return { bytes: Buffer.from(bytes.subarray(0, end)), end, answers, authorities, additionals, additionalAt }
}

/** To be written before others are encoded. */
export function encodeSections(question: WireName, sections: Sections): PreparedSections {
  const { answer = [], authority = [], additional = [] } = sections
  const bytesMax = bytesMaxOf(answer) + bytesMaxOf(authority) + bytesMaxOf(additional)
  const bytes = bytesMax <= passing.length ? passing : Buffer.allocUnsafeSlow(bytesMax)
  const additionalAt = appendRecords(bytes, appendRecords(bytes, 0, answer, question), authority, question)
  return {
    bytes,
    end: appendRecords(bytes, additionalAt, additional, question),
    answers: answer.length,
    authorities: authority.length,
    additionals: additional.length,
    additionalAt,
  }
}

/**
 * A or AAAA records of the name that was asked for, of the first `octets` of `addresses`, one behind the other. Each turn
 * another of them is in front. To be written before others are encoded.
 */
export function encodeAddresses(
  type: number,
  ttlSeconds: number,
  addresses: Uint8Array,
  octets: number,
  turn: number,
): PreparedSections {
  const each = type === TYPE.A ? 4 : 16
  const count = octets / each
  const recordBytes = 2 + RECORD_FIXED_BYTES + each
  assert(count * recordBytes <= passing.length)
  for (let i = 0; i < count; i += 1) {
    const at = appendFixed(passing, appendQuestion(passing, i * recordBytes), type, ttlSeconds, each)
    copyOctets(passing, at, addresses, ((turn + i) % count) * each, each)
  }
  const end = count * recordBytes
  return { bytes: passing, end, answers: count, authorities: 0, additionals: 0, additionalAt: end }
}

/** Without any compression. */
function bytesMaxOf(records: readonly DnsRecord[]): number {
  return records.reduce((sum, { owner, data }) => sum + owner.length + RECORD_FIXED_BYTES + data.length, 0)
}

/** Gives where they end. */
function appendRecords(
  out: Uint8Array,
  start: number,
  records: readonly DnsRecord[],
  question: WireName,
): number {
  let at = start
  for (const { owner, type, ttlSeconds, data } of records) {
    at = appendFixed(out, appendOwner(out, at, owner, question), type, ttlSeconds, data.length)
    at = copyOctets(out, at, data, 0, data.length)
  }
  return at
}

/** What stands between owner and data. Gives where the data begins. */
function appendFixed(
  out: Uint8Array,
  at: number,
  type: number,
  ttlSeconds: number,
  dataBytes: number,
): number {
  writeU16(out, at, type)
  writeU16(out, at + 2, CLASS.IN)
  writeU32(out, at + 4, ttlSeconds)
  writeU16(out, at + 8, dataBytes)
  return at + RECORD_FIXED_BYTES
}

/** Labels up to the longest end that the question has too, then a pointer into it (RFC 1035 §4.1.4). */
function appendOwner(out: Uint8Array, start: number, owner: WireName, question: WireName): number {
  // As nearly every owner of an answer is.
  if (owner === question && owner.length > 1) return appendQuestion(out, start)
  let shared = owner
  // The root's one octet is shorter than a pointer to it.
  while (shared.length > 1 && !isInside(question, shared)) shared = shared.slice(1 + shared.charCodeAt(0))
  if (shared.length === 1) return writeLatin1(out, start, owner)
  const at = writeLatin1(out, start, owner.slice(0, owner.length - shared.length))
  writeU16(out, at, POINTER | (HEADER_BYTES + question.length - shared.length))
  return at + 2
}

/** The name that was asked for. */
function appendQuestion(out: Uint8Array, at: number): number {
  writeU16(out, at, POINTER | HEADER_BYTES)
  return at + 2
}
