// The store that schedulers share, as far as reports go: the last of each edge with the lifetime that is left to it, by
// the store's own clock. Written and read by schedulers as registry/redis.ts does with Redis.
import { DOWN_AFTER_MS } from '../../scheduler/limits.ts'
import type { EdgeReport } from '../../src/wire/report.ts'

interface Stored {
  readonly by: string
  readonly report: EdgeReport
  readonly expiresMs: number
}

export interface Found {
  readonly by: string
  readonly report: EdgeReport
  readonly leftMs: number
}

export class ReportStore {
  readonly #stored = new Map<string, Stored>()

  write(by: string, report: EdgeReport, ageMs: number, nowMs: number): void {
    if (ageMs < DOWN_AFTER_MS)
      this.#stored.set(report.id, { by, report, expiresMs: nowMs + DOWN_AFTER_MS - ageMs })
  }

  *readAll(nowMs: number): Generator<Found> {
    for (const { by, report, expiresMs } of this.#stored.values()) {
      if (expiresMs > nowMs) yield { by, report, leftMs: expiresMs - nowMs }
    }
  }
}
