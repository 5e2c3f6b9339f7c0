// The head of an HTTP/1.1 reply as text: status line, the server's own fields, then the flow's.
import { STATUS_CODES } from 'node:http'
import { serialiseFields } from '../http/fields.ts'
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

export function formatReplyHead(head: ReplyHead, date: string, chunked: boolean, close: boolean): string {
  const start = statusLine(head.status)
  let framing = ''
  if (chunked) framing = 'Transfer-Encoding: chunked\r\n'
  // RFC 9110 §8.6: no Content-Length in 1xx and 204; a 304 need not have one.
  else if (head.length !== null && !isBodiless(head.status)) framing = `Content-Length: ${head.length}\r\n`
  const connection = close ? 'Connection: close\r\n' : ''
  return `${start}Date: ${head.date ?? date}\r\n${framing}${connection}${head.fields.text}${serialiseFields(head.extra)}\r\n`
}
