// The free burst of a client: kept for the client and not for each reply, so that many small ranges get no more of
// it than one large body. It comes back at the rate of the pace while none of the client's replies goes at the pace:
// such a reply gets what comes in already.
import type { ResponsePace } from './compile-limits.ts'

export interface BurstCredit {
  bytes: number
  /** Replies that have used it up and go at the pace. */
  paced: number
  atMs: number
}

/** A new one is full. */
export function newCredit(): BurstCredit {
  return { bytes: Number.MAX_SAFE_INTEGER, paced: 0, atMs: 0 }
}

/** Bytes that may leave now, for nothing. */
export function freeBytes(credit: BurstCredit, pace: ResponsePace, nowMs: number): number {
  refill(credit, pace, nowMs)
  return Math.floor(credit.bytes)
}

/** These leave now, whether they were free or not. */
export function spend(credit: BurstCredit, pace: ResponsePace, bytes: number, nowMs: number): void {
  refill(credit, pace, nowMs)
  credit.bytes = Math.max(0, credit.bytes - bytes)
}

/** A reply begins to go at the pace, after `freeBytes` of now. */
export function holdCredit(credit: BurstCredit): void {
  credit.paced++
}

/** That reply is over. */
export function releaseCredit(credit: BurstCredit, nowMs: number): void {
  credit.paced--
  credit.atMs = nowMs
}

function refill(credit: BurstCredit, pace: ResponsePace, nowMs: number): void {
  const earned = credit.paced > 0 ? 0 : Math.max(0, nowMs - credit.atMs) * pace.bytesPerMs
  credit.bytes = Math.min(pace.burstBytes, credit.bytes + earned)
  credit.atMs = nowMs
}
