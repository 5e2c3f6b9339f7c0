// What a request flow sees of one request and its reply, whichever server parsed it
// (src/http1 for bodiless HTTP/1.1, node:http for all else, node:http2 later).
import type { Readable } from 'node:stream'
import type { FieldBlock, FieldPairs } from './fields.ts'

export interface HttpRequest {
  readonly method: string
  /** As received: origin-form (`/path?query`), or `*` for OPTIONS. */
  readonly target: string
  /** The Host field as received (or :authority); '' only for HTTP/1.0 without one. */
  readonly host: string
  readonly version: '1.0' | '1.1' | '2'
  readonly secure: boolean
  /** The peer's address without brackets or zone; '' once the socket is gone. */
  readonly remoteAddress: string
  /** A field's value by lower-case name; repeated fields are joined with ', ' (RFC 9110 §5.2). */
  header(lowerName: string): string | undefined
  /** All fields as received: name, value, name, value … */
  fields(): FieldPairs
  /** The request's body; null when it has none. */
  readonly body: Readable | null
}

export interface ReplyHead {
  status: number
  /** Shared, serialised once. */
  fields: FieldBlock
  /** More of the same, such as what a property adds to all its replies. */
  added?: FieldBlock
  /** This reply's own fields; Date, Content-Length/Transfer-Encoding and Connection are the server's. */
  extra: FieldPairs
  /** Text of Date, of a stored response; left out: now. */
  date?: string
  /** Body length in bytes, as Content-Length (a HEAD reply gives the length it would have); null when unknown. */
  length: number | null
}

export interface HttpReply {
  /** The client is gone, or the reply was aborted. */
  readonly closed: boolean
  /** Body bytes handed to the socket so far. */
  readonly bodyBytes: number
  /** Status sent, 0 before. */
  readonly status: number
  /** Called once when the reply is over; `complete` is false when the client left or it was cut. */
  onFinish: ((complete: boolean) => void) | null
  /** An interim answer (1xx, RFC 9110 §15.2), before the final one; dropped for HTTP/1.0. */
  interim(status: number, fields: FieldPairs): void
  /** Head and whole body in one go. `body` null: no body (HEAD, 204, 304, or length 0). */
  send(head: ReplyHead, body: Uint8Array | null): void
  /** Head of a streamed reply; follow with write()s and one end() or abort(). */
  start(head: ReplyHead): void
  /** Resolves when the chunk has left for the kernel and may be reused: true, or false when the client is gone. One at a time. */
  write(chunk: Uint8Array): Promise<boolean>
  end(): void
  /** Ends the reply so that the client sees it was cut (connection reset or closed before the length). */
  abort(): void
}

export interface Transaction {
  readonly request: HttpRequest
  readonly reply: HttpReply
}

export type TransactionHandler = (transaction: Transaction) => void
