// Dictionaries of structured fields (RFC 9651 §4.2), strictly: one error anywhere and the whole field is not
// one. Only what targeted cache-control needs is kept of a member: its value, when that is a bare item.

/** Integers and decimals keep apart, because a lifetime of 60.0 seconds is not one (RFC 9213 §2.1). */
export type BareItem =
  | { type: 'boolean'; value: boolean }
  | { type: 'integer'; value: number }
  | { type: 'decimal' | 'string' | 'token' | 'binary' | 'date' | 'display-string'; value: string }

/** Inner lists are recognised, and kept as this. */
export interface InnerList {
  type: 'inner-list'
}

export type Dictionary = ReadonlyMap<string, BareItem | InnerList>

/** undefined when the text is not a dictionary; empty for an empty field. */
export function parseDictionary(text: string): Dictionary | undefined {
  const reader = new Reader(text)
  const members = new Map<string, BareItem | InnerList>()
  reader.skip(SP)
  while (!reader.ended) {
    const key = reader.take(KEY)
    if (key === undefined) return undefined
    const value = reader.takeIf('=') ? member(reader) : TRUE
    if (value === undefined || !parameters(reader)) return undefined
    // The last of equal keys counts.
    members.delete(key)
    members.set(key, value)
    reader.skip(OWS)
    if (reader.ended) break
    if (!reader.takeIf(',')) return undefined
    reader.skip(OWS)
    if (reader.ended) return undefined
  }
  return members
}

const TRUE: BareItem = { type: 'boolean', value: true }
// Sticky, and without nested repetition: each reads on from where the last ended, in linear time.
const SP = / */y
const OWS = /[ \t]*/y
const KEY = /[a-z*][a-z0-9_\-.*]*/y
const NUMBER = /-?\d{1,15}(?:\.\d{1,3})?/y
const STRING = /"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y
const BINARY = /:[A-Za-z0-9+/]*={0,2}:/y
const BOOLEAN = /\?[01]/y
const DATE = /@-?\d{1,15}/y
const DISPLAY = /%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y

class Reader {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text.trimEnd()
  }

  get ended(): boolean {
    return this.at >= this.text.length
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match[0]
  }

  skip(pattern: RegExp): void {
    this.take(pattern)
  }

  takeIf(character: string): boolean {
    if (this.text[this.at] !== character) return false
    this.at++
    return true
  }
}

function member(reader: Reader): BareItem | InnerList | undefined {
  if (!reader.takeIf('(')) return bareItem(reader)
  for (;;) {
    reader.skip(SP)
    if (reader.takeIf(')')) return { type: 'inner-list' }
    if (bareItem(reader) === undefined || !parameters(reader)) return undefined
    if (reader.ended) return undefined
  }
}

/** Reads over `;key=value` pairs. */
function parameters(reader: Reader): boolean {
  while (reader.takeIf(';')) {
    reader.skip(SP)
    if (reader.take(KEY) === undefined) return false
    if (reader.takeIf('=') && bareItem(reader) === undefined) return false
  }
  return true
}

function bareItem(reader: Reader): BareItem | undefined {
  const number = reader.take(NUMBER)
  if (number !== undefined) return numberItem(number)
  const boolean = reader.take(BOOLEAN)
  if (boolean !== undefined) return { type: 'boolean', value: boolean === '?1' }
  for (const [type, pattern] of TEXTUAL) {
    const value = reader.take(pattern)
    if (value !== undefined) return { type, value }
  }
  return undefined
}

const TEXTUAL = [
  ['string', STRING],
  ['token', TOKEN],
  ['binary', BINARY],
  ['date', DATE],
  ['display-string', DISPLAY],
] as const

function numberItem(text: string): BareItem | undefined {
  if (!text.includes('.')) return { type: 'integer', value: Number(text) }
  // At most 12 digits before the point.
  return text.replace('-', '').indexOf('.') > 12 ? undefined : { type: 'decimal', value: text }
}
