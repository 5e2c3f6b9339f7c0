// What the scheduler knows of its edges' reports: the interface that memory.ts and redis.ts implement and
// that test/contract/registry.test.ts holds both to. Reading is synchronous and never waits for anyone.
import type { EdgeReport } from '../../src/wire/report.ts'

export interface SeenReport {
  readonly report: EdgeReport
  /** This scheduler's monotonic clock when the report arrived, here or at another scheduler. */
  readonly receivedAtMs: number
  /**
   * Set while the shared store cannot be read: the report's age stands still at this moment, because
   * silence of the store says nothing of the edge. Never set for reports that reach this scheduler itself.
   */
  readonly heldAtMs: number | null
}

export type RegistryStatus =
  | { readonly state: 'healthy' }
  /** Other schedulers' reports are as they were at `sinceMs` (monotonic); `reason` is for people. */
  | { readonly state: 'held'; readonly sinceMs: number; readonly reason: string }

export interface Registry {
  readonly kind: 'memory' | 'redis'
  /** Takes in an edge's own report. Never blocks, never fails. */
  record(report: EdgeReport): void
  /** The freshest report of each edge, by edge id. The map is not changed after it was given out. */
  seen(): ReadonlyMap<string, SeenReport>
  status(): RegistryStatus
  /** Called after each change of seen(); one listener. */
  onChange: (() => void) | null
  close(): Promise<void>
}

/** How old a report is, in milliseconds. */
export function ageOf(seen: SeenReport, nowMs: number): number {
  return Math.max(0, (seen.heldAtMs ?? nowMs) - seen.receivedAtMs)
}
