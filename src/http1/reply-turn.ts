// Small replies of one turn of the event loop leave together at its end. Each write may wake its client, and a client
// that is woken for every reply sleeps again before the next: with many connections at work, that costs more than the
// replies. The bytes lie in one space until then, which is used again when the kernel has taken them.
import type { ReplyHead } from '../http/transaction.ts'
import { TURN_BYTES, TURN_REPLIES_MAX } from './limits.ts'
import { fillReply, replyLength } from './reply-bytes.ts'

/** Where a reply goes. */
export interface ReplyTarget {
  /** Writes what waited for it; false while the kernel has not taken it all. */
  writeReply(bytes: Buffer): boolean
}

interface Waiting {
  readonly target: ReplyTarget
  readonly bytes: Buffer
}

/** One a server. */
export class ReplyTurn {
  private space: Buffer = Buffer.allocUnsafeSlow(TURN_BYTES)
  private used = 0
  private waiting: Waiting[] = []
  private readonly flushAtEnd = (): void => this.flush()

  /** Composes the reply and keeps it until the turn ends, or until `flush`; earlier when there is no more room. */
  add(target: ReplyTarget, start: string, head: ReplyHead, body: Uint8Array | null): void {
    fillReply(this.reserve(target, replyLength(start, head, body)), start, head, body)
  }

  /** Room for a reply that the caller writes before it returns to the event loop. */
  reserve(target: ReplyTarget, length: number): Buffer {
    if (this.used + length > TURN_BYTES || this.waiting.length === TURN_REPLIES_MAX) this.flush()
    const bytes = this.take(length)
    if (this.waiting.length === 0) setImmediate(this.flushAtEnd)
    this.waiting.push({ target, bytes })
    return bytes
  }

  flush(): void {
    const { waiting } = this
    this.waiting = []
    let taken = true
    for (const { target, bytes } of waiting) if (!target.writeReply(bytes)) taken = false
    // What the kernel has not taken still lies there.
    if (!taken) this.space = Buffer.allocUnsafeSlow(TURN_BYTES)
    this.used = 0
  }

  /** Longer than the whole space: a buffer of its own. */
  private take(length: number): Buffer {
    if (length > TURN_BYTES) return Buffer.allocUnsafeSlow(length)
    const bytes = this.space.subarray(this.used, this.used + length)
    this.used += length
    return bytes
  }
}
