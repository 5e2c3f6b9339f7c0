// A block of response fields that is built once and serialised once, then shared by every reply.

/** Flat list: name, value, name, value … as on the wire, order kept. */
export type FieldPairs = readonly string[]

export class FieldBlock {
  readonly pairs: FieldPairs
  /** `Name: value\r\n` lines, latin1. */
  readonly text: string
  private encoded: Buffer | null = null

  constructor(pairs: FieldPairs) {
    this.pairs = pairs
    this.text = serialiseFields(pairs)
  }

  /** `text` as it goes out; made at the first reply, since many stored heads never see one. */
  get bytes(): Buffer {
    this.encoded ??= Buffer.from(this.text, 'latin1')
    return this.encoded
  }

  /** The first value of a field, name in lower case. */
  get(lowerName: string): string | undefined {
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (this.pairs[i]?.toLowerCase() === lowerName) return this.pairs[i + 1]
    }
    return undefined
  }

  /** The value of each line of a field, in order. */
  all(lowerName: string): string[] {
    const values: string[] = []
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (this.pairs[i]?.toLowerCase() === lowerName) values.push(this.pairs[i + 1] ?? '')
    }
    return values
  }

  /** All values of a list field, joined as one (RFC 9110 §5.3). */
  list(lowerName: string): string | undefined {
    let joined: string | undefined
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (this.pairs[i]?.toLowerCase() !== lowerName) continue
      joined = joined === undefined ? this.pairs[i + 1] : `${joined}, ${this.pairs[i + 1]}`
    }
    return joined
  }
}

export const NO_FIELDS = new FieldBlock([])

/** `Name: value\r\n` for each pair. The caller vouches that names and values are clean. */
export function serialiseFields(pairs: FieldPairs): string {
  let text = ''
  for (let i = 0; i < pairs.length; i += 2) text += `${pairs[i]}: ${pairs[i + 1]}\r\n`
  return text
}
