// What a site costs a client, in milliseconds: the round trip, and what waiting in a full site would add. Congestion
// costs nothing below CONGESTION_FROM and grows without bound towards full, as a queue does.
import { CONGESTION_FROM, CONGESTION_MS, RTT_MS_PER_KM, RTT_UNKNOWN_MS } from '../limits.ts'
import { unitOf } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'

const EARTH_RADIUS_KM = 6371
/** From here on the queue's formula, which ends at full, goes on as a line. */
const NEARLY_FULL = 0.99

/** From the dot product of two directions; anything below -1 stands for a place that is not known. */
export function roundTripMs(nearness: number): number {
  if (nearness < -1.5) return RTT_UNKNOWN_MS
  return Math.acos(Math.min(1, Math.max(-1, nearness))) * EARTH_RADIUS_KM * RTT_MS_PER_KM
}

export function congestionMs(utilisation: number): number {
  if (utilisation <= CONGESTION_FROM) return 0
  const filled = (utilisation - CONGESTION_FROM) / (1 - CONGESTION_FROM)
  if (filled < NEARLY_FULL) return (CONGESTION_MS * filled) / (1 - filled)
  // The slope of filled / (1 - filled) at NEARLY_FULL.
  const slope = 1 / (1 - NEARLY_FULL) ** 2
  return CONGESTION_MS * (NEARLY_FULL / (1 - NEARLY_FULL) + slope * (filled - NEARLY_FULL))
}

/**
 * From 0.5 to 1.5, fixed for an asset and a site: what congestion weighs for it. So a site that fills up loses its
 * assets to the neighbours one after the other, always the same ones first, and not all of them at once.
 */
export function sensitivityOf(key: Hash64, site: Hash64): number {
  return 0.5 + unitOf(key, site)
}
