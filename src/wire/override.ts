// What an operator says of an edge, over what the edge says of itself: PUT /api/v1/edges/:id/override on the
// scheduler's admin listener, and the answers that the commands read.
import { z } from 'zod'

export const OVERRIDE_WEIGHT_MIN = 0.01
export const OVERRIDE_WEIGHT_MAX = 100
export const OVERRIDE_REASON_MAX = 200

/** drain: no new client, those it has stay. down: as if it were silent. */
export const overrideStateSchema = z.enum(['drain', 'down'])

export const overrideWeightSchema = z.number().min(OVERRIDE_WEIGHT_MIN).max(OVERRIDE_WEIGHT_MAX)

/** Ends up on terminals: no control characters. */
export const overrideReasonSchema = z
  .string()
  .max(OVERRIDE_REASON_MAX)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')

export const overrideRequestSchema = z
  .strictObject({
    state: overrideStateSchema.optional(),
    /** Multiplies the share of clients that its capacity gives it. */
    weight: overrideWeightSchema.optional(),
    reason: overrideReasonSchema.optional(),
  })
  .refine(({ state, weight }) => state !== undefined || weight !== undefined, 'needs a state or a weight')

export type OverrideRequest = z.infer<typeof overrideRequestSchema>

export const edgeOverrideSchema = z.object({
  state: overrideStateSchema.nullable(),
  /** 1: as configured. */
  weight: overrideWeightSchema,
  /** For people; '' when none was given. */
  reason: z.string(),
  /** Of the clock of the scheduler that was told. */
  setAtMs: z.number(),
})

export type EdgeOverride = Readonly<z.infer<typeof edgeOverrideSchema>>

/**
 * process: as long as this scheduler runs. store: in Redis, for every scheduler. pending: here, and in Redis as soon
 * as it can be written.
 */
export const overrideKeptSchema = z.enum(['process', 'store', 'pending'])

export type OverrideKept = z.infer<typeof overrideKeptSchema>

export const overrideReplySchema = z.object({
  edge: z.string(),
  override: edgeOverrideSchema.nullable(),
  kept: overrideKeptSchema,
})

export type OverrideReply = z.infer<typeof overrideReplySchema>
