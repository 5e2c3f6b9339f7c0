// Reads a query, strictly and within its bounds whatever the octets are: what is no query is dropped, what is no proper
// one is told so. Once for each packet, before anything is known of who sent it; nothing is thrown.
import { ADDITIONAL_RECORDS_MAX } from '../limits.ts'
import { FLAG, OPCODE, TYPE } from './codes.ts'
import { readEdns } from './edns.ts'
import type { Edns } from './edns.ts'
import { LABEL_BYTES_MAX, NAME_BYTES_MAX } from './names.ts'
import type { WireName } from './names.ts'
import { HEADER_BYTES, RECORD_FIXED_BYTES, readU16 } from './octets.ts'
import { RecentNames } from './recent-names.ts'

export interface DnsQuery {
  readonly outcome: 'query'
  readonly id: number
  /** The header's second word; FLAG picks from it. */
  readonly flags: number
  /** Lower-cased. As it was asked it stands in the packet, from where the reply copies it (0x20). */
  readonly name: WireName
  readonly type: number
  readonly class: number
  /** Where the question ends in the packet; it starts at HEADER_BYTES. */
  readonly questionEnd: number
  readonly edns: Edns | undefined
}

export interface RefusedQuery {
  /** Malformed, or of an opcode that is not served. cookie: it asks for that alone (RFC 7873 §5.4). */
  readonly outcome: 'formerr' | 'notimp' | 'cookie'
  /** HEADER_BYTES when there is no question that the reply could repeat. */
  readonly questionEnd: number
  readonly edns: Edns | undefined
}

/** No answer is right: an answer itself, or too short to have an id. */
export interface DroppedPacket {
  readonly outcome: 'drop'
}

export type QueryReading = DnsQuery | RefusedQuery | DroppedPacket

const DROP: DroppedPacket = { outcome: 'drop' }
/** QTYPE and QCLASS. */
const QUESTION_FIXED_BYTES = 4
const POINTER = 0xc0
const MALFORMED = -1

/** ASCII letters lower-cased, all else as it is (RFC 4343 §3). */
const LOWER = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
)
// Filled by readQuestionName; reading is synchronous, so that one is enough.
const lowered = Buffer.alloc(NAME_BYTES_MAX)
const recentNames = new RecentNames()

/** Of the packet's first `length` octets. */
export function readQuery(packet: Uint8Array, length: number): QueryReading {
  const end = Math.min(length, packet.length)
  if (end < HEADER_BYTES) return DROP
  const flags = readU16(packet, 2)
  if ((flags & FLAG.QR) !== 0) return DROP
  const questions = readU16(packet, 4)
  const nameEnd = questions === 1 ? readQuestionName(packet, end) : MALFORMED
  const hasQuestion = nameEnd !== MALFORMED && nameEnd + QUESTION_FIXED_BYTES <= end
  const questionEnd = hasQuestion ? nameEnd + QUESTION_FIXED_BYTES : HEADER_BYTES
  // What follows has the form of its opcode, so that no OPT is looked for.
  if (opcodeOf(flags) !== OPCODE.QUERY) return { outcome: 'notimp', questionEnd, edns: undefined }
  if (questions === 0) return readUnasked(packet, end)
  if (!hasQuestion) return { outcome: 'formerr', questionEnd, edns: undefined }
  const name = recentNames.nameOf(lowered, nameEnd - HEADER_BYTES)
  const type = readU16(packet, nameEnd)
  const { isWellFormed, edns } = readRecords(packet, questionEnd, end, type)
  if (!isWellFormed) return { outcome: 'formerr', questionEnd, edns }
  return {
    outcome: 'query',
    id: readU16(packet, 0),
    flags,
    name,
    type,
    class: readU16(packet, nameEnd + 2),
    questionEnd,
    edns,
  }
}

/** Of a query without a question. */
function readUnasked(packet: Uint8Array, end: number): RefusedQuery {
  const { isWellFormed, edns } = readRecords(packet, HEADER_BYTES, end, 0)
  const outcome = isWellFormed && edns?.cookie !== undefined ? 'cookie' : 'formerr'
  return { outcome, questionEnd: HEADER_BYTES, edns }
}

function opcodeOf(flags: number): number {
  return (flags >>> 11) & 0x0f
}

/** Leaves the name in `lowered` and gives where it ends in the packet. Nothing stands before it to point to. */
function readQuestionName(packet: Uint8Array, end: number): number {
  let at = HEADER_BYTES
  while (at < end) {
    const length = packet[at] ?? 0
    const next = at + 1 + length
    if (length > LABEL_BYTES_MAX || next > end || next - HEADER_BYTES > NAME_BYTES_MAX) return MALFORMED
    for (; at < next; at += 1) lowered[at - HEADER_BYTES] = LOWER[packet[at] ?? 0] ?? 0
    if (length === 0) return next
  }
  return MALFORMED
}

interface QueryRecords {
  readonly isWellFormed: boolean
  readonly edns: Edns | undefined
}

const NO_RECORDS: QueryRecords = { isWellFormed: true, edns: undefined }

/** All behind the question: at most one OPT among a few additional records, and the SOA of an IXFR (RFC 1995 §3). */
function readRecords(packet: Uint8Array, start: number, end: number, type: number): QueryRecords {
  const answers = readU16(packet, 6)
  const authorities = readU16(packet, 8)
  const additionals = readU16(packet, 10)
  if (answers + authorities + additionals === 0 && start === end) return NO_RECORDS
  const authoritiesMax = type === TYPE.IXFR ? 1 : 0
  let isWellFormed = answers === 0 && authorities <= authoritiesMax && additionals <= ADDITIONAL_RECORDS_MAX
  let edns: Edns | undefined
  let at = start
  for (let i = 0; isWellFormed && i < authorities + additionals; i += 1) {
    const typeAt = skipName(packet, at, end)
    const recordEnd = recordEndOf(packet, typeAt, end)
    isWellFormed = recordEnd !== MALFORMED
    if (isWellFormed && readU16(packet, typeAt) === TYPE.OPT) {
      // One at most, of the root, which is one octet (RFC 6891 §6.1.1), in the additional section.
      isWellFormed = edns === undefined && typeAt === at + 1 && i >= authorities
      edns ??= readEdns(packet, typeAt, recordEnd)
      isWellFormed &&= !edns.isMalformed
    }
    at = recordEnd
  }
  return { isWellFormed: isWellFormed && at === end, edns }
}

function recordEndOf(packet: Uint8Array, typeAt: number, end: number): number {
  const dataAt = typeAt + RECORD_FIXED_BYTES
  if (typeAt === MALFORMED || dataAt > end) return MALFORMED
  const recordEnd = dataAt + readU16(packet, dataAt - 2)
  return recordEnd > end ? MALFORMED : recordEnd
}

/** A pointer ends a name; where it leads matters to nobody here. */
function skipName(packet: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && at - start < NAME_BYTES_MAX) {
    const length = packet[at] ?? 0
    if (length >= POINTER) return at + 2
    if (length > LABEL_BYTES_MAX) return MALFORMED
    at += 1 + length
    if (length === 0) return at
  }
  return MALFORMED
}
