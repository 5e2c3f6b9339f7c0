// Which prefetched objects somebody asked for, and which nobody did within some minutes: those were a waste.

/** Longer than a player waits for what it announced, pauses aside. */
const JUDGED_AFTER_MS = 5 * 60_000
/** Objects that wait for their judgement; beyond it the oldest counts as unused. */
const WAITING_MAX = 20_000

interface Prefetched {
  bytes: number
  sinceMs: number
}

export class PrefetchLedger {
  objects = 0
  bytes = 0
  usedObjects = 0
  usedBytes = 0
  unusedObjects = 0
  unusedBytes = 0
  private readonly monotonic: () => number
  /** In the order in which they were fetched. */
  private readonly waiting = new Map<string, Prefetched>()

  constructor(monotonic: () => number) {
    this.monotonic = monotonic
  }

  began(key: string): void {
    this.waiting.delete(key)
    this.waiting.set(key, { bytes: 0, sinceMs: this.monotonic() })
    this.objects++
    this.judge()
  }

  ended(key: string, bytes: number): void {
    this.bytes += bytes
    const entry = this.waiting.get(key)
    if (entry !== undefined) entry.bytes = bytes
    // Asked for while it was still arriving.
    else this.usedBytes += bytes
  }

  /** A client asks for this object. */
  asked(key: string): void {
    if (this.waiting.size === 0) return
    const entry = this.waiting.get(key)
    if (entry === undefined) return
    this.waiting.delete(key)
    this.usedObjects++
    this.usedBytes += entry.bytes
  }

  /** Counts those that have waited for too long; called where they are read, too. */
  judge(): void {
    const longAgoMs = this.monotonic() - JUDGED_AFTER_MS
    for (const [key, entry] of this.waiting) {
      if (entry.sinceMs > longAgoMs && this.waiting.size <= WAITING_MAX) return
      this.waiting.delete(key)
      this.unusedObjects++
      this.unusedBytes += entry.bytes
    }
  }
}
