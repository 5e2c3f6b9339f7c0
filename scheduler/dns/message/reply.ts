// Writes a reply behind the query's own id and question into a buffer that the caller keeps, of whole sections: what
// answers the question, or TC and nothing of it. Nothing is allocated.
import assert from 'node:assert/strict'
import { UDP_BYTES_MIN, UDP_REPLY_BYTES_MAX } from '../limits.ts'
import { FLAG, RCODE } from './codes.ts'
import { NO_OPTIONS, optBytes, writeOpt } from './edns.ts'
import type { Edns, ReplyOptions } from './edns.ts'
import { HEADER_BYTES, copyOctets, readU16, writeU16 } from './octets.ts'
import { NO_SECTIONS } from './records.ts'
import type { PreparedSections } from './records.ts'

/** Of a query, whether it was read to its end or not, what its reply repeats. */
export interface Asked {
  readonly questionEnd: number
  readonly edns: Edns | undefined
}

export interface Reply {
  /** Above 15 only to those who sent OPT; others get its lower bits. */
  readonly rcode: number
  readonly isAuthoritative: boolean
  /** TC whatever fits, to make the client ask again over TCP. */
  readonly isTruncated?: boolean | undefined
  /** Prepared for the name that was asked. */
  readonly sections: PreparedSections
  readonly options: ReplyOptions
}

/** What of a query's flags is repeated: RD and the opcode. CD is cleared as RFC 4035 §3.1.6 has it, AD never set, RA neither. */
const REPEATED = FLAG.RD | (0x0f << 11)

/** The most that may be sent to them over UDP: what their side takes, and ours can send without fragments. */
export function udpReplyBytes({ edns }: Asked): number {
  return edns === undefined ? UDP_BYTES_MIN : Math.min(edns.udpBytes, UDP_REPLY_BYTES_MAX)
}

/** At least 512 octets and no more than `out` has may be used. Gives the message's length. */
export function writeReply(
  out: Uint8Array,
  packet: Uint8Array,
  asked: Asked,
  reply: Reply,
  bytesMax: number,
): number {
  assert(bytesMax >= UDP_BYTES_MIN && bytesMax <= out.length, 'room for a header, any question and any OPT')
  const { questionEnd, edns } = asked
  const { rcode, sections, options } = reply
  const room = bytesMax - questionEnd - (edns === undefined ? 0 : optBytes(edns, options))
  const fit = fittingOf(reply, room)
  const isWhole = fit !== 'none'
  const additionals = fit === 'all' ? sections.additionals : 0

  copyOctets(out, 0, packet, 0, 2)
  writeU16(out, 2, flagsOf(readU16(packet, 2), reply, isWhole))
  writeU16(out, 4, questionEnd > HEADER_BYTES ? 1 : 0)
  writeU16(out, 6, isWhole ? sections.answers : 0)
  writeU16(out, 8, isWhole ? sections.authorities : 0)
  writeU16(out, 10, additionals + (edns === undefined ? 0 : 1))
  copyOctets(out, HEADER_BYTES, packet, HEADER_BYTES, questionEnd - HEADER_BYTES)
  let end = questionEnd
  if (fit !== 'none')
    end = copySections(out, end, sections, fit === 'all' ? sections.end : sections.additionalAt)
  return edns === undefined ? end : writeOpt(out, end, packet, edns, rcode, options)
}

/** Beyond so many octets a view of them costs less than a loop. */
const LOOPED_OCTETS = 256

/** Their first `count` octets. Gives where they end. */
function copySections(out: Uint8Array, at: number, { bytes }: PreparedSections, count: number): number {
  if (count === bytes.length) out.set(bytes, at)
  else if (count <= LOOPED_OCTETS) copyOctets(out, at, bytes, 0, count)
  else out.set(bytes.subarray(0, count), at)
  return at + count
}

/** A reply of no records: FORMERR, NOTIMP, REFUSED, SERVFAIL, BADVERS. `out` has at least 512 octets. */
export function writeError(
  out: Uint8Array,
  packet: Uint8Array,
  asked: Asked,
  rcode: number,
  options: ReplyOptions = NO_OPTIONS,
): number {
  const reply = { rcode, isAuthoritative: false, sections: NO_SECTIONS, options }
  return writeReply(out, packet, asked, reply, UDP_BYTES_MIN)
}

/**
 * What of the sections fits: additional records are dropped without a word (RFC 2181 §9), but for the glue of a
 * referral, which is of no use without it (RFC 9471 §3).
 */
function fittingOf({ rcode, isAuthoritative, sections }: Reply, room: number): 'all' | 'needed' | 'none' {
  if (sections.end <= room) return 'all'
  const isReferral = !isAuthoritative && rcode === RCODE.NOERROR && sections.answers === 0
  return !isReferral && sections.additionalAt <= room ? 'needed' : 'none'
}

function flagsOf(asked: number, { rcode, isAuthoritative, isTruncated }: Reply, isWhole: boolean): number {
  return (
    FLAG.QR |
    (asked & REPEATED) |
    (isAuthoritative ? FLAG.AA : 0) |
    (isTruncated === true || !isWhole ? FLAG.TC : 0) |
    (rcode & 0x0f)
  )
}
