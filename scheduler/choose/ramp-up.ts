// How much of its fair share an edge gets that has just started or has just come back: its cache is cold, and so are
// its connections to the origins.
import { DOWN_AFTER_MS, RAMP_UP_FROM, RAMP_UP_MS } from '../limits.ts'
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'

/** What is remembered of an edge from one snapshot to the next. */
export interface Presence {
  /** When its last report arrived; held: while the store could not be read, so that silence after it says nothing. */
  readonly lastAtMs: number
  readonly held: boolean
  /** When it was first heard again after it had been down; -Infinity when that never happened. */
  readonly returnedAtMs: number
}

export function presenceOf(before: Presence | undefined, seen: SeenReport | undefined): Presence | undefined {
  if (seen === undefined) return before
  const lastAtMs = seen.receivedAtMs
  const held = seen.heldAtMs !== null
  // The first report that this scheduler sees says nothing of a return; the edge's own uptime does.
  if (before === undefined) return { lastAtMs, held, returnedAtMs: -Infinity }
  const silent = !before.held && lastAtMs - before.lastAtMs > DOWN_AFTER_MS
  return { lastAtMs, held, returnedAtMs: silent ? lastAtMs : before.returnedAtMs }
}

/** From RAMP_UP_FROM to 1. */
export function rampUpOf(seen: SeenReport, presence: Presence | undefined, nowMs: number): number {
  const returned = nowMs - (presence?.returnedAtMs ?? -Infinity)
  const { uptimeMs } = seen.report
  if (uptimeMs >= RAMP_UP_MS && returned >= RAMP_UP_MS) return 1
  const started = uptimeMs + ageOf(seen, nowMs)
  const sinceMs = Math.max(0, Math.min(started, returned))
  return sinceMs >= RAMP_UP_MS ? 1 : RAMP_UP_FROM + ((1 - RAMP_UP_FROM) * sinceMs) / RAMP_UP_MS
}
