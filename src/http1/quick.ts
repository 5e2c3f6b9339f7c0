// An answer from bytes to bytes: nothing is made of a request but its reply. For requests that come by the hundred
// thousand and are all alike; whatever is not, goes the way of a transaction.
import type { HeadBytes } from './head-bytes.ts'

/** Where the reply goes. */
export interface QuickReply {
  /** Room for a whole reply of just so many bytes, Date and Content-Length among them; filled before the call returns. */
  reserve(length: number): Buffer
}

/**
 * `peer` is the address at the other end. false: nothing has happened, and the handler of transactions answers. It is
 * asked on plain connections alone, and not for one that is to be closed.
 */
export type QuickHandler = (head: HeadBytes, peer: string, reply: QuickReply) => boolean
