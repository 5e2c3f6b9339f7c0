// The changing part of an HTTP/1.1 reply's head as text.
import { STATUS_CODES } from 'node:http'
import { serialiseFields } from '../http/fields.ts'
import type { FieldBlock } from '../http/fields.ts'
import type { ReplyHead } from '../http/transaction.ts'

const STATUS_LINES = new Map(
  Object.entries(STATUS_CODES).map(([code, reason]) => [Number(code), `HTTP/1.1 ${code} ${reason}\r\n`]),
)

/** RFC 9110 §6.4.1: these never have a body. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304 || (status >= 100 && status < 200)
}

export function statusLine(status: number): string {
  return STATUS_LINES.get(status) ?? `HTTP/1.1 ${status} \r\n`
}

interface StartOfServer {
  readonly date: () => string
  readonly always: FieldBlock
}

/** Start line, the server's fields and the reply's own: what is new in each reply. The shared blocks follow, and an empty line. */
export class ReplyStarts {
  readonly #server: StartOfServer
  /** The last one, without the reply's own fields, and what it was made of: within a second most begin alike. */
  #text = ''
  #status = 0
  #date = ''
  #length: number | null = null
  #chunked = false
  #close = false
  #isJoined = false

  constructor(server: StartOfServer) {
    this.#server = server
  }

  of(head: ReplyHead, chunked: boolean, close: boolean): string {
    const date = head.date ?? this.#server.date()
    const isSame =
      head.status === this.#status &&
      date === this.#date &&
      head.length === this.#length &&
      chunked === this.#chunked &&
      close === this.#close
    if (!isSame) this.#make(head, date, chunked, close)
    else if (!this.#isJoined) this.#join()
    return this.#text + serialiseFields(head.extra)
  }

  #make({ status, length }: ReplyHead, date: string, chunked: boolean, close: boolean): void {
    let text = `${statusLine(status)}Date: ${date}\r\n`
    if (chunked) text += 'Transfer-Encoding: chunked\r\n'
    // RFC 9110 §8.6: no Content-Length in 1xx and 204; a 304 need not have one.
    else if (length !== null && !isBodiless(status)) text += `Content-Length: ${length}\r\n`
    if (close) text += 'Connection: close\r\n'
    this.#text = text + this.#server.always.text
    this.#status = status
    this.#date = date
    this.#length = length
    this.#chunked = chunked
    this.#close = close
    this.#isJoined = false
  }

  /** The engine keeps text that was put together in its parts, and would go through them for each reply. */
  #join(): void {
    this.#text = Buffer.from(this.#text, 'latin1').toString('latin1')
    this.#isJoined = true
  }
}
