// How much of its fair share an edge gets that has just started or has just come back: its cache is cold, and so are
// its connections to the origins.
import { RAMP_UP_FROM, RAMP_UP_MS } from '../limits.ts'
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'
import type { EdgeHealth } from './edge-health.ts'

/** From RAMP_UP_FROM to 1. */
export function rampUpOf(seen: SeenReport, health: EdgeHealth | undefined, nowMs: number): number {
  const returned = nowMs - (health?.returnedAtMs ?? -Infinity)
  const { uptimeMs } = seen.report
  if (uptimeMs >= RAMP_UP_MS && returned >= RAMP_UP_MS) return 1
  const started = uptimeMs + ageOf(seen, nowMs)
  const sinceMs = Math.max(0, Math.min(started, returned))
  return sinceMs >= RAMP_UP_MS ? 1 : RAMP_UP_FROM + ((1 - RAMP_UP_FROM) * sinceMs) / RAMP_UP_MS
}
