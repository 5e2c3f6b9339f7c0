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

/**
 * Start line, the server's fields and the reply's own: what is new in each reply. The shared blocks follow, and
 * an empty line.
 */
export function formatReplyStart(
  head: ReplyHead,
  server: { readonly date: () => string; readonly always: FieldBlock },
  chunked: boolean,
  close: boolean,
): string {
  let text = `${statusLine(head.status)}Date: ${head.date ?? server.date()}\r\n`
  if (chunked) text += 'Transfer-Encoding: chunked\r\n'
  // RFC 9110 §8.6: no Content-Length in 1xx and 204; a 304 need not have one.
  else if (head.length !== null && !isBodiless(head.status)) text += `Content-Length: ${head.length}\r\n`
  if (close) text += 'Connection: close\r\n'
  return text + server.always.text + serialiseFields(head.extra)
}
