// Reads the head of a bodiless HTTP/1.1 request, byte by byte, and nothing else: GET, HEAD or OPTIONS in
// origin-form with one Host; where asked to, POST with one Content-Length too. What it does not take it does not judge:
// the caller hands the connection, with these very bytes, to node:http. So one parser decides the framing of a
// connection. Text is made of a head only for who asks for text.
import type { HeadBytes, HeadMethod } from './head-bytes.ts'
import { NO_FIELD, SEVERAL_FIELDS, isNamed, nameBytes } from './head-bytes.ts'
import { HEAD_BYTES_MAX, HEAD_FIELDS_MAX } from './limits.ts'

export type HeadOutcome = 'complete' | 'incomplete' | 'hand-over'

const CR = 13
const LF = 10
const SP = 32
const TAB = 9
const COLON = 58
const SLASH = 47

/** Longer than any that would be taken. */
const LENGTH_DIGITS_MAX = 12

/** RFC 9110 §5.6.2. */
const TOKEN = byteTable("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
/** RFC 3986 path and query characters; anything else in a target is for the lenient side to judge. */
const TARGET = byteTable(
  "!$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz{|}~",
)
/** RFC 9110 §5.5: VCHAR, obs-text, SP and HTAB. */
const VALUE = new Uint8Array(256).map((_, byte) => (byte === TAB || (byte >= SP && byte !== 127) ? 1 : 0))
const HOST = byteTable('-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz')

function byteTable(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const byte of Buffer.from(characters, 'latin1')) table[byte] = 1
  return table
}

const NOTHING = Buffer.alloc(0)
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1')
const GET = Buffer.from('GET ', 'latin1')
const HEAD = Buffer.from('HEAD ', 'latin1')
const OPTIONS = Buffer.from('OPTIONS ', 'latin1')
const POST = Buffer.from('POST ', 'latin1')
const VERSION = Buffer.from(' HTTP/1.1\r\n', 'latin1')
const KEEP_ALIVE = nameBytes('keep-alive')
const NAMES = {
  host: nameBytes('host'),
  expect: nameBytes('expect'),
  upgrade: nameBytes('upgrade'),
  connection: nameBytes('connection'),
  contentLength: nameBytes('content-length'),
  transferEncoding: nameBytes('transfer-encoding'),
}

/**
 * One a connection, used again for each request; what it says of a head holds until the next parse, but its bytes, and
 * text that was not asked for while they were there, only as long as the buffer.
 */
export class HeadParser implements HeadBytes {
  method: HeadMethod = 'GET'
  bytes: Buffer = NOTHING
  targetStart = 0
  targetEnd = 0
  hostField = NO_FIELD
  /** Index in the buffer of the first byte behind the head. */
  end = 0
  /** Bytes of the body behind the head. */
  bodyLength = 0
  /** The client asked for `Connection: close`. */
  close = false
  private readonly takesPosts: boolean
  /** Where the head begins in `bytes`, and ends but for the empty line. */
  private start = 0
  private fieldsEnd = 0
  private made: string | null = null
  private fieldCount = 0
  /** For each field: start and end of its name, start and end of its value, from the start of the head. */
  private readonly offsets = new Int32Array(HEAD_FIELDS_MAX * 4)

  constructor({ takesPosts = false }: { takesPosts?: boolean } = {}) {
    this.takesPosts = takesPosts
  }

  /**
   * Parses the head at `start`. `scanned` says how far an earlier call saw no end of head, so that a head
   * that arrives in many pieces is searched once.
   */
  parse(buffer: Buffer, start: number, scanned: number): HeadOutcome {
    // Mostly the bytes are one head and nothing else: its end need not be searched.
    const last = buffer.length - END_OF_HEAD.length
    if (last > start && last + 4 - start <= HEAD_BYTES_MAX && startsWith(buffer, last, END_OF_HEAD)) {
      if (this.readHead(buffer, start, last + 2)) return 'complete'
    }
    const end = buffer.indexOf(END_OF_HEAD, Math.max(start, scanned - 3))
    if (end < 0) return this.plausible(buffer, start) ? 'incomplete' : 'hand-over'
    if (end + 4 - start > HEAD_BYTES_MAX) return 'hand-over'
    return this.readHead(buffer, start, end + 2) ? 'complete' : 'hand-over'
  }

  get target(): string {
    return this.text.slice(this.targetStart - this.start, this.targetEnd - this.start)
  }

  get host(): string {
    return this.value(this.hostField)
  }

  fieldNamed(lowerName: Uint8Array): number {
    let found = NO_FIELD
    for (let field = 0; field < this.fieldCount; field++) {
      if (!this.isNamed(field, lowerName)) continue
      if (found !== NO_FIELD) return SEVERAL_FIELDS
      found = field
    }
    return found
  }

  valueStart(field: number): number {
    return this.start + (this.offsets[field * 4 + 2] ?? 0)
  }

  valueEnd(field: number): number {
    return this.start + (this.offsets[field * 4 + 3] ?? 0)
  }

  /** Value of a field by lower-case name; repeated fields joined with ', ', cookies with '; ' (RFC 6265 §4.2.1). */
  header(lowerName: string): string | undefined {
    const separator = lowerName === 'cookie' ? '; ' : ', '
    let found: string | undefined
    for (let field = 0; field < this.fieldCount; field++) {
      if (this.nameIs(field, lowerName)) {
        found = found === undefined ? this.value(field) : found + separator + this.value(field)
      }
    }
    return found
  }

  /** All fields in order: name, value, name, value … */
  fields(): string[] {
    const pairs: string[] = []
    for (let field = 0; field < this.fieldCount; field++) {
      const slot = field * 4
      pairs.push(this.text.slice(this.offsets[slot], this.offsets[slot + 1]), this.value(field))
    }
    return pairs
  }

  /** An unfinished head that can still become one of ours: no bare LF, a capital first, not too long. */
  private plausible(buffer: Buffer, start: number): boolean {
    if (buffer.length - start > HEAD_BYTES_MAX) return false
    const first = buffer[start] ?? 0
    if (first !== 71 && first !== 72 && first !== 79 && !(first === 80 && this.takesPosts)) return false
    for (let lf = buffer.indexOf(LF, start); lf >= 0; lf = buffer.indexOf(LF, lf + 1)) {
      if (buffer[lf - 1] !== CR) return false
    }
    return true
  }

  /** `end` is the index behind the last field line. */
  private readHead(buffer: Buffer, start: number, end: number): boolean {
    let at = this.readMethod(buffer, start)
    if (at < 0 || buffer[at] !== SLASH) return false
    const targetStart = at
    while (TARGET[buffer[at] ?? 0] === 1) at++
    const targetEnd = at
    if (!startsWith(buffer, at, VERSION)) return false
    at += VERSION.length

    this.bytes = buffer
    this.start = start
    this.fieldsEnd = end
    this.made = null
    this.targetStart = targetStart
    this.targetEnd = targetEnd
    this.close = false
    this.hostField = NO_FIELD
    this.fieldCount = 0
    this.bodyLength = this.method === 'POST' ? -1 : 0
    while (at < end) {
      at = this.readField(buffer, at, start)
      if (at < 0) return false
    }
    this.end = end + 2
    return this.hostField >= 0 && this.bodyLength >= 0
  }

  private readMethod(buffer: Buffer, at: number): number {
    if (startsWith(buffer, at, GET)) {
      this.method = 'GET'
      return at + GET.length
    }
    if (startsWith(buffer, at, HEAD)) {
      this.method = 'HEAD'
      return at + HEAD.length
    }
    if (startsWith(buffer, at, OPTIONS)) {
      this.method = 'OPTIONS'
      return at + OPTIONS.length
    }
    if (this.takesPosts && startsWith(buffer, at, POST)) {
      this.method = 'POST'
      return at + POST.length
    }
    return -1
  }

  /** Reads one `name: value CRLF`; gives the index behind it, or -1 for what this server does not take. */
  private readField(buffer: Buffer, lineStart: number, base: number): number {
    if (this.fieldCount === HEAD_FIELDS_MAX) return -1
    let at = lineStart
    while (TOKEN[buffer[at] ?? 0] === 1) at++
    const nameEnd = at
    if (nameEnd === lineStart || buffer[at] !== COLON) return -1
    at++
    while (buffer[at] === SP || buffer[at] === TAB) at++
    const valueStart = at
    while (VALUE[buffer[at] ?? 0] === 1) at++
    if (buffer[at] !== CR || buffer[at + 1] !== LF) return -1
    let valueEnd = at
    while (valueEnd > valueStart && (buffer[valueEnd - 1] === SP || buffer[valueEnd - 1] === TAB)) valueEnd--

    const slot = this.fieldCount * 4
    this.offsets[slot] = lineStart - base
    this.offsets[slot + 1] = nameEnd - base
    this.offsets[slot + 2] = valueStart - base
    this.offsets[slot + 3] = valueEnd - base
    const taken = this.admit(this.fieldCount, buffer, valueStart, valueEnd)
    this.fieldCount++
    return taken ? at + 2 : -1
  }

  /** Fields that decide framing or the connection's fate; all others are the flow's business. */
  private admit(field: number, buffer: Buffer, valueStart: number, valueEnd: number): boolean {
    const slot = field * 4
    switch ((this.offsets[slot + 1] ?? 0) - (this.offsets[slot] ?? 0)) {
      case 4:
        return !this.isNamed(field, NAMES.host) || this.admitHost(field, buffer, valueStart, valueEnd)
      case 6:
        return !this.isNamed(field, NAMES.expect)
      case 7:
        return !this.isNamed(field, NAMES.upgrade)
      case 10:
        return !this.isNamed(field, NAMES.connection) || this.admitConnection(buffer, valueStart, valueEnd)
      case 14:
        return !this.isNamed(field, NAMES.contentLength) || this.admitLength(buffer, valueStart, valueEnd)
      case 17:
        return !this.isNamed(field, NAMES.transferEncoding)
      default:
        return true
    }
  }

  private admitHost(field: number, buffer: Buffer, valueStart: number, valueEnd: number): boolean {
    if (this.hostField >= 0 || valueStart === valueEnd) return false
    for (let at = valueStart; at < valueEnd; at++) if (HOST[buffer[at] ?? 0] !== 1) return false
    this.hostField = field
    return true
  }

  /** RFC 9110 §8.6, once and of digits alone; of a request without a body it is not taken. */
  private admitLength(buffer: Buffer, valueStart: number, valueEnd: number): boolean {
    if (this.bodyLength >= 0 || valueStart === valueEnd || valueEnd - valueStart > LENGTH_DIGITS_MAX)
      return false
    let length = 0
    for (let at = valueStart; at < valueEnd; at++) {
      const digit = (buffer[at] ?? 0) - 48
      if (digit < 0 || digit > 9) return false
      length = length * 10 + digit
    }
    this.bodyLength = length
    return true
  }

  private admitConnection(buffer: Buffer, valueStart: number, valueEnd: number): boolean {
    if (isNamed(buffer, valueStart, valueEnd, KEEP_ALIVE)) return true
    for (const option of buffer.toString('latin1', valueStart, valueEnd).toLowerCase().split(',')) {
      if (option.trim() === 'close') this.close = true
    }
    return true
  }

  private isNamed(field: number, lowerName: Uint8Array): boolean {
    const { bytes, start, offsets } = this
    const slot = field * 4
    return isNamed(bytes, start + (offsets[slot] ?? 0), start + (offsets[slot + 1] ?? 0), lowerName)
  }

  /** All but the empty line; made once, while the bytes are there. */
  private get text(): string {
    return (this.made ??= this.bytes.toString('latin1', this.start, this.fieldsEnd))
  }

  private nameIs(field: number, lowerName: string): boolean {
    const { text } = this
    const start = this.offsets[field * 4] ?? 0
    if ((this.offsets[field * 4 + 1] ?? 0) - start !== lowerName.length) return false
    for (let i = 0; i < lowerName.length; i++) {
      const code = text.charCodeAt(start + i)
      const lower = code >= 65 && code <= 90 ? code + 32 : code
      if (lower !== lowerName.charCodeAt(i)) return false
    }
    return true
  }

  private value(field: number): string {
    return this.text.slice(this.offsets[field * 4 + 2], this.offsets[field * 4 + 3])
  }
}

function startsWith(buffer: Buffer, at: number, bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) if (buffer[at + i] !== bytes[i]) return false
  return true
}
