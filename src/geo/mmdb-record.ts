// A record in the data section of a MaxMind DB file (format 2.0), read where it lies: only the fields that are wanted are
// made, all others are stepped over. So a record that was not met lately costs little.
// Damage in the file ends as an error or a wrong value, never beyond the file or without end.

/**
 * What to make of a map, by key. value: a number or text as it is. some: of a text whether it is empty, not what it
 * says. Of a map below it what is wanted of that; of a list or bytes only that they are there.
 */
export interface WantedFields {
  readonly [key: string]: 'value' | 'some' | WantedFields
}

/** Gives the record at an offset of the file. */
export type RecordReader = (offset: number) => unknown

/** Types of the format that are told apart here. */
const POINTER = 1
const TEXT = 2
const DOUBLE = 3
const BYTES = 4
const UINT16 = 5
const UINT32 = 6
const MAP = 7
const INT32 = 8
const ARRAY = 11
const BOOLEAN = 14
const FLOAT = 15

/** A pointer to a pointer is none that the format knows, and in a damaged file might lead in circles. */
const POINTERS_MAX = 2

/** What is there, and nobody asks what. */
const SOMETHING: object = Object.freeze({})

interface Wanted {
  readonly name: Buffer
  readonly key: string
  readonly want: 'value' | 'some' | readonly Wanted[]
}

const NOTHING_WANTED: readonly Wanted[] = []

/** `dataStart`: of the data section, which pointers count from. */
export function recordReader(bytes: Buffer, dataStart: number, fields: WantedFields): RecordReader {
  const cursor = new Cursor(bytes, dataStart)
  const wanted = listOf(fields)
  return (offset) => {
    cursor.at = offset
    return readValue(cursor, wanted)
  }
}

function listOf(fields: WantedFields): readonly Wanted[] {
  return Object.entries(fields).map(([key, want]) => ({
    name: Buffer.from(key),
    key,
    want: typeof want === 'string' ? want : listOf(want),
  }))
}

/** Leaves the cursor behind the value. */
function readValue(cursor: Cursor, want: Wanted['want']): unknown {
  cursor.enter()
  if (cursor.type !== POINTER) return readEntered(cursor, want)
  const behind = cursor.at
  cursor.follow()
  const value = readEntered(cursor, want)
  cursor.at = behind
  return value
}

function readEntered(cursor: Cursor, want: Wanted['want']): unknown {
  if (cursor.type === MAP) return readMap(cursor, typeof want === 'string' ? NOTHING_WANTED : want)
  if (cursor.type === TEXT && want === 'some') {
    const { size } = cursor
    cursor.at += size
    return size === 0 ? '' : SOMETHING
  }
  return cursor.scalar()
}

function readMap(cursor: Cursor, wanted: readonly Wanted[]): unknown {
  const { size } = cursor
  if (wanted.length === 0) {
    cursor.pass(2 * size)
    return SOMETHING
  }
  const record: Record<string, unknown> = {}
  for (let i = 0; i < size; i += 1) {
    const field = fieldAt(cursor, wanted)
    if (field === undefined) cursor.pass(1)
    else record[field.key] = readValue(cursor, field.want)
  }
  return record
}

/** Leaves the cursor behind the key. */
function fieldAt(cursor: Cursor, wanted: readonly Wanted[]): Wanted | undefined {
  cursor.enter()
  let behind = -1
  if (cursor.type === POINTER) {
    behind = cursor.at
    cursor.follow()
  }
  if (cursor.type !== TEXT) throw new Error('a key that is no text')
  const field = fieldNamed(cursor, wanted)
  cursor.at = behind < 0 ? cursor.at + cursor.size : behind
  return field
}

function fieldNamed(cursor: Cursor, wanted: readonly Wanted[]): Wanted | undefined {
  for (const field of wanted) if (cursor.isText(field.name)) return field
  return undefined
}

/** Stands at a value of the file; `enter` reads what stands in front of each: its type and size. */
class Cursor {
  at = 0
  type = 0
  /** Bytes of the value; entries of a map or list. */
  size = 0
  readonly #bytes: Buffer
  readonly #dataStart: number

  constructor(bytes: Buffer, dataStart: number) {
    this.#bytes = bytes
    this.#dataStart = dataStart
  }

  /** To the value's first byte. Of a pointer, `size` holds what its first byte says of it. */
  enter(): void {
    const control = this.#byte()
    this.type = control >>> 5
    this.size = control & 0x1f
    if (this.type === POINTER) {
      this.#enterPointer()
      return
    }
    if (this.type === 0) this.type = this.#byte() + 7
    if (this.size === 29) this.size = 29 + this.#byte()
    else if (this.size === 30) this.size = 285 + this.#uint(2)
    else if (this.size === 31) this.size = 65_821 + this.#uint(3)
  }

  #target = 0

  /** Two bits say how long it is, and the last three belong to it unless it takes four bytes. */
  #enterPointer(): void {
    const length = (this.size >>> 3) + 1
    const high = (this.size & 7) * 2 ** (8 * length)
    const low = this.#uint(length)
    if (length === 4) this.#target = low
    else this.#target = high + low + (length === 1 ? 0 : length === 2 ? 2048 : 526_336)
  }

  /** To the value that the entered pointer names. */
  follow(): void {
    for (let i = 0; i < POINTERS_MAX && this.type === POINTER; i += 1) {
      this.at = this.#dataStart + this.#target
      this.enter()
    }
    if (this.type === POINTER) throw new Error('a pointer to a pointer')
  }

  /** Over so many values, without looking into them. */
  pass(values: number): void {
    for (let left = values; left > 0; left -= 1) {
      this.enter()
      if (this.type === MAP) left += 2 * this.size
      else if (this.type === ARRAY) left += this.size
      else if (this.type !== POINTER && this.type !== BOOLEAN) this.at += this.size
    }
  }

  isText(text: Buffer): boolean {
    if (this.size !== text.length) return false
    for (let i = 0; i < text.length; i += 1) if (this.#bytes[this.at + i] !== text[i]) return false
    return true
  }

  /** What was entered, and is neither map nor pointer. */
  scalar(): unknown {
    const { type, size, at } = this
    if (type === BOOLEAN) return size !== 0
    if (type === ARRAY) {
      this.pass(size)
      return SOMETHING
    }
    this.at += size
    switch (type) {
      case TEXT:
        return size === 2 ? this.#shortText(at) : this.#bytes.toString('utf8', at, at + size)
      case DOUBLE:
        return this.#bytes.readDoubleBE(at)
      case FLOAT:
        return this.#bytes.readFloatBE(at)
      case UINT16:
      case UINT32:
        return size === 0 ? 0 : this.#bytes.readUIntBE(at, size)
      case INT32:
        return size < 4 ? (size === 0 ? 0 : this.#bytes.readUIntBE(at, size)) : this.#bytes.readInt32BE(at)
      case BYTES:
        return SOMETHING
      default:
        // Numbers of more than 32 bits are neither degrees nor anything else that is asked for.
        return undefined
    }
  }

  /** Codes of countries: without the call that any other text takes. */
  #shortText(at: number): string {
    const first = this.#bytes[at] ?? 0x80
    const second = this.#bytes[at + 1] ?? 0x80
    return (first | second) < 0x80
      ? String.fromCharCode(first, second)
      : this.#bytes.toString('utf8', at, at + 2)
  }

  #byte(): number {
    const byte = this.#bytes[this.at]
    if (byte === undefined) throw new Error('a record reaches beyond the file')
    this.at += 1
    return byte
  }

  #uint(bytes: number): number {
    let value = 0
    for (let i = 0; i < bytes; i += 1) value = value * 256 + this.#byte()
    return value
  }
}
