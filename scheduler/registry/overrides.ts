// Operators' overrides as they are stored: one entry an edge, which a removal replaces by an empty one. The highest
// revision wins wherever it is found, so that a store that was flushed, or lost its last writes in a failover, is
// written anew by any scheduler that remembers more.
import { z } from 'zod'
import { overrideReasonSchema, overrideStateSchema, overrideWeightSchema } from '../../src/wire/override.ts'
import type { EdgeOverride, OverrideRequest } from '../../src/wire/override.ts'

/** Far beyond any clock, and with room to count on. */
const REVISION_MAX = 8.64e15

const storedOverrideSchema = z.object({
  /** Wall-clock milliseconds of the change, at least one more than the change before. */
  revision: z.number().int().nonnegative().max(REVISION_MAX),
  /** The scheduler that was told: decides between two changes of one revision. */
  by: z.string().max(64),
  state: overrideStateSchema.nullable(),
  weight: overrideWeightSchema,
  reason: overrideReasonSchema,
  setAtMs: z.number(),
})

export type StoredOverride = Readonly<z.infer<typeof storedOverrideSchema>>

/** `wanted` null: what was set is taken back. */
export function nextOverride(
  earlier: StoredOverride | undefined,
  wanted: OverrideRequest | null,
  by: string,
  nowMs: number,
): StoredOverride {
  return {
    // A clock that is behind the last one's must not lose its operator's word.
    revision: Math.max(Math.floor(nowMs), (earlier?.revision ?? -1) + 1),
    by,
    state: wanted?.state ?? null,
    weight: wanted?.weight ?? 1,
    reason: wanted?.reason ?? '',
    setAtMs: nowMs,
  }
}

export function isNewer(one: StoredOverride, other: StoredOverride | undefined): boolean {
  if (other === undefined || one.revision !== other.revision) return one.revision > (other?.revision ?? -1)
  return one.by > other.by
}

/** Undefined when nothing is overridden. */
export function overrideIn(stored: StoredOverride | undefined): EdgeOverride | undefined {
  if (stored === undefined || (stored.state === null && stored.weight === 1)) return undefined
  const { state, weight, reason, setAtMs } = stored
  return { state, weight, reason, setAtMs }
}

export function parseStoredOverride(text: string): StoredOverride | undefined {
  try {
    return storedOverrideSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
