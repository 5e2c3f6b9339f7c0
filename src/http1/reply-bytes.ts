// Puts a reply together as bytes: the part of its head that is new as text, the shared blocks copied as they
// are, and a small body behind them, so that all of it leaves in one write.
import { NO_FIELDS } from '../http/fields.ts'
import type { ReplyHead } from '../http/transaction.ts'
import { SMALL_BODY_BYTES } from './limits.ts'

const CR = 13
const LF = 10
/** Holds a small body with any ordinary head; what does not fit gets a buffer of its own. */
const SPACE_BYTES = 2 * SMALL_BODY_BYTES
/** Spaces that came back and wait to be lent again; more are dropped. */
const SPARE_MAX = 64

/** One a server. Lends its space to one reply after the other, for as long as the kernel takes each at once. */
export class ReplyBytes {
  private space: Buffer = Buffer.allocUnsafeSlow(SPACE_BYTES)
  private readonly spare: Buffer[] = []

  /** The bytes are lent: after the write, say with `settle` whether they are free again. */
  compose(start: string, head: ReplyHead, body: Uint8Array | null): Buffer {
    const bytes = replyLength(start, head, body)
    const target = bytes <= SPACE_BYTES ? this.space : Buffer.allocUnsafeSlow(bytes)
    fillReply(target, start, head, body)
    return target.subarray(0, bytes)
  }

  settle(written: boolean): void {
    if (!written) this.space = this.spare.pop() ?? Buffer.allocUnsafeSlow(SPACE_BYTES)
  }

  /** What `compose` gave, and `settle` was told was not written, has been written after all. */
  giveBack(composed: Buffer): void {
    if (composed.buffer.byteLength !== SPACE_BYTES || this.spare.length === SPARE_MAX) return
    this.spare.push(Buffer.from(composed.buffer))
  }
}

/** A head alone, in a buffer of its own. */
export function headBytes(start: string, head: ReplyHead): Buffer {
  const target = Buffer.allocUnsafe(replyLength(start, head, null))
  fillReply(target, start, head, null)
  return target
}

export function replyLength(start: string, head: ReplyHead, body: Uint8Array | null): number {
  const blocks = head.fields.bytes.length + (head.added ?? NO_FIELDS).bytes.length
  return start.length + blocks + 2 + (body?.length ?? 0)
}

/** `target` has at least `replyLength` bytes. */
export function fillReply(target: Buffer, start: string, head: ReplyHead, body: Uint8Array | null): void {
  let at = target.write(start, 0, 'latin1')
  target.set(head.fields.bytes, at)
  at += head.fields.bytes.length
  if (head.added !== undefined) {
    target.set(head.added.bytes, at)
    at += head.added.bytes.length
  }
  target[at] = CR
  target[at + 1] = LF
  if (body !== null) target.set(body, at + 2)
}
