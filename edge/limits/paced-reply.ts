// The body of one reply at the pace of its property: what its client has in free burst leaves at once, the rest piece
// by piece at the response's rate, and each piece in its turn at what client and property share. Waiting is done on
// the wheel of all paced replies; nobody holds a timer of its own.
import type { HttpReply } from '../../src/http/transaction.ts'
import { PACE_CATCH_UP_MS } from '../limits.ts'
import { freeBytes, holdCredit, releaseCredit, spend } from './burst-credit.ts'
import type { ClientRecord } from './client-record.ts'
import type { CompiledLimits, ResponsePace } from './compile-limits.ts'
import type { Pipe, Waiter } from './pipe.ts'
import { OFF_WHEEL } from './timer-wheel.ts'
import type { Timed } from './timer-wheel.ts'

/** What a paced reply draws on. */
export interface PaceSources {
  readonly limits: CompiledLimits
  readonly client: ClientRecord
  /** All of the property; null: not limited. */
  readonly pipe: Pipe | null
}

/** Where it waits, and what time it is. */
export interface PaceTimers {
  monotonic(): number
  wait(entry: PacedReply, dueMs: number): void
  cancel(entry: PacedReply): void
}

export class PacedReply implements Timed, Waiter {
  dueMs = 0
  slot = OFF_WHEEL
  private readonly reply: HttpReply
  private readonly sources: PaceSources
  private readonly timers: PaceTimers
  /** When what was sent beyond the burst has been paid for, at the response's rate. */
  private paidMs = 0
  private resolve: ((go: boolean) => void) | null = null
  /** Beyond its client's burst: from then on it goes by its own account alone. */
  private atPace = false
  private closed = false

  constructor(reply: HttpReply, sources: PaceSources, timers: PaceTimers) {
    this.reply = reply
    this.sources = sources
    this.timers = timers
  }

  /** As the reply's own: true when all of it may be reused, false when the client is gone. */
  async write(piece: Uint8Array): Promise<boolean> {
    for (let at = 0; at < piece.length;) {
      const bytes = await this.turn(piece.length - at)
      if (bytes === 0) return false
      const whole = bytes === piece.length
      if (!(await this.reply.write(whole ? piece : piece.subarray(at, at + bytes)))) return false
      at += bytes
    }
    return !this.closed
  }

  /** The reply is over, however it ended: a wait ends at once. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.timers.cancel(this)
    if (this.atPace) releaseCredit(this.sources.client.credit, this.timers.monotonic())
    for (const pipe of this.pipes()) pipe.leave(this)
    this.go(false)
  }

  mayGo(): void {
    this.go(true)
  }

  private go(go: boolean): void {
    const { resolve } = this
    this.resolve = null
    resolve?.(go)
  }

  /** How many of so many bytes may leave, when they may; 0 when the reply is over. */
  private async turn(left: number): Promise<number> {
    if (this.closed) return 0
    const { limits } = this.sources
    const nowMs = this.timers.monotonic()
    const bytes = Math.min(left, limits.pieceBytes)
    const atOnce = this.atPace ? 0 : Math.min(left, freeNow(this.sources, nowMs))
    if (atOnce >= bytes) {
      chargeNow(this.sources, atOnce, nowMs)
      return atOnce
    }
    const { response } = limits
    if (response !== null && !(await this.ownTurn(response, bytes))) return 0
    for (const pipe of this.pipes()) if (!(await this.pipeTurn(pipe, bytes))) return 0
    return bytes
  }

  private ownTurn(pace: ResponsePace, bytes: number): boolean | Promise<boolean> {
    const { credit } = this.sources.client
    const nowMs = this.timers.monotonic()
    let owed = bytes
    if (!this.atPace) {
      owed -= Math.min(bytes, freeBytes(credit, pace, nowMs))
      spend(credit, pace, bytes - owed, nowMs)
      if (owed === 0) return true
      this.atPace = true
      this.paidMs = nowMs
      holdCredit(credit)
    }
    // From where it stands, so that late timers do not add up; a client that was slow catches up by little.
    this.paidMs = Math.max(this.paidMs, nowMs - PACE_CATCH_UP_MS) + owed / pace.bytesPerMs
    return this.paidMs <= nowMs || this.pause(() => this.timers.wait(this, this.paidMs))
  }

  private pipeTurn(pipe: Pipe, bytes: number): boolean | Promise<boolean> {
    return pipe.takeTurn(bytes, this.timers.monotonic()) || this.pause(() => pipe.join(this, bytes))
  }

  private pause(wait: () => void): Promise<boolean> {
    if (this.closed) return Promise.resolve(false)
    return new Promise((resolve) => {
      this.resolve = resolve
      wait()
    })
  }

  private pipes(): Pipe[] {
    return [this.sources.client.pipe, this.sources.pipe].filter((pipe) => pipe !== null)
  }
}

/** Bytes that may leave now without a wait. */
export function freeNow({ limits, client, pipe }: PaceSources, nowMs: number): number {
  let free = Number.POSITIVE_INFINITY
  if (limits.response !== null) free = freeBytes(client.credit, limits.response, nowMs)
  if (client.pipe !== null) free = Math.min(free, client.pipe.freeBytes(nowMs))
  return pipe === null ? free : Math.min(free, pipe.freeBytes(nowMs))
}

/** These leave now, whether they were free or not. */
export function chargeNow({ limits, client, pipe }: PaceSources, bytes: number, nowMs: number): void {
  if (limits.response !== null) spend(client.credit, limits.response, bytes, nowMs)
  client.pipe?.charge(bytes, nowMs)
  pipe?.charge(bytes, nowMs)
}
