// What is remembered of an edge from one snapshot to the next, beyond its last report: when it came back, how often
// it comes and goes, whether it is over its limit. A pure step from one report to the next.
import {
  DOWN_AFTER_MS,
  OVERLOADED_FROM,
  OVERLOADED_UNTIL,
  RESTART_FLAPS,
  RETURN_FLAPS,
  SILENCE_FLAPS,
  SUSPECT_AFTER_MS,
} from '../limits.ts'
import type { SeenReport } from '../registry/registry.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { dampedUntilMs, flapped, NO_FLAPS } from './flap-damping.ts'
import type { FlapPenalty } from './flap-damping.ts'

export interface EdgeHealth {
  /** The report that it was last derived from. */
  readonly seen: SeenReport
  /** When it was first heard again after it had been down; -Infinity when that never happened. */
  readonly returnedAtMs: number
  readonly flaps: FlapPenalty
  /** It is suspect until then, since it comes and goes. */
  readonly dampedUntilMs: number
  /** Over its limit, by two thresholds: one to get there, a lower one to leave. */
  readonly overloaded: boolean
}

/** What an edge can carry, as configured. */
export interface EdgeCapacity {
  /** Bits a second. */
  readonly bandwidth: number
  readonly connectionsMax: number
}

export function nextHealth(
  before: EdgeHealth | undefined,
  seen: SeenReport | undefined,
  capacity: EdgeCapacity,
): EdgeHealth | undefined {
  if (seen === undefined || seen === before?.seen) return before
  const overloaded = isOverloaded(seen.report, capacity, before?.overloaded ?? false)
  // The first report that this scheduler sees says nothing of a return; the edge's own uptime does.
  if (before === undefined) {
    return { seen, returnedAtMs: -Infinity, flaps: NO_FLAPS, dampedUntilMs: -Infinity, overloaded }
  }
  const returnedAtMs = silenceOf(before.seen, seen) > DOWN_AFTER_MS ? seen.receivedAtMs : before.returnedAtMs
  const flap = flapOf(before.seen, seen)
  if (flap === 0) return { ...before, seen, returnedAtMs, overloaded }
  const flaps = flapped(before.flaps, flap, seen.receivedAtMs)
  return { seen, returnedAtMs, flaps, dampedUntilMs: dampedUntilMs(flaps, before.dampedUntilMs), overloaded }
}

/** How much this report tells of coming and going. */
function flapOf(earlier: SeenReport, seen: SeenReport): number {
  // One that said that it would go, or was sent, comes back as planned; others fall and are picked up.
  if (earlier.report.state === 'draining' || isTakenOut(earlier)) return 0
  const silentMs = silenceOf(earlier, seen)
  if (silentMs > DOWN_AFTER_MS) return RETURN_FLAPS
  if (seen.report.instance !== earlier.report.instance) return RESTART_FLAPS
  return silentMs > SUSPECT_AFTER_MS ? SILENCE_FLAPS : 0
}

/** By an operator, who may well restart it then. */
function isTakenOut({ override }: SeenReport): boolean {
  return override !== undefined && override.state !== null
}

/** Between two reports. While reports were held, silence said nothing. */
function silenceOf(earlier: SeenReport, seen: SeenReport): number {
  return earlier.heldAtMs === null ? seen.receivedAtMs - earlier.receivedAtMs : 0
}

function isOverloaded(
  { sentBitRate, connections }: EdgeReport,
  capacity: EdgeCapacity,
  was: boolean,
): boolean {
  const used = Math.max(sentBitRate / capacity.bandwidth, connections / capacity.connectionsMax)
  return used >= (was ? OVERLOADED_UNTIL : OVERLOADED_FROM)
}
