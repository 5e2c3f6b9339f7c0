// The lines of a list as they come in, one by one: a line is bounded, and what is behind it is not read before it has been
// dealt with. Blank lines and those that begin with `#` are passed over.
import { PREFETCH_LINE_BYTES_MAX } from '../limits.ts'

export interface ListLine {
  /** From 1, all lines counted. */
  readonly number: number
  readonly text: string
}

/** The line of this number is longer than a line may be, or no text. */
export class LineError extends Error {
  readonly number: number

  constructor(number: number, message: string) {
    super(message)
    this.name = 'LineError'
    this.number = number
  }
}

const NEWLINE = 10

/** `bytes`: such as a request's body. Throws LineError. */
export async function* listLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<ListLine> {
  let number = 1
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, from)) {
      yield* lineOf(rest.subarray(from, end), number)
      number += 1
      from = end + 1
    }
    rest = rest.subarray(from)
    if (rest.length > PREFETCH_LINE_BYTES_MAX) throw tooLong(number)
  }
  yield* lineOf(rest, number)
}

function* lineOf(bytes: Buffer, number: number): Generator<ListLine> {
  if (bytes.length > PREFETCH_LINE_BYTES_MAX) throw tooLong(number)
  const text = textOf(bytes, number).trim()
  if (text !== '' && !text.startsWith('#')) yield { number, text }
}

function textOf(bytes: Buffer, number: number): string {
  try {
    // A fresh one each: after a failure, state would be left in it.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new LineError(number, 'is no text in UTF-8')
  }
}

function tooLong(number: number): LineError {
  return new LineError(number, `is longer than ${PREFETCH_LINE_BYTES_MAX} bytes`)
}
