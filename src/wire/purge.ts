// What an operator asks to be purged, and what came of it: POST /api/v1/purges and GET /api/v1/purges/ID on a
// scheduler's admin listener.
import { z } from 'zod'
import { PURGE_VALUE_CHARS_MAX, eventIdSchema, purgeSchema } from './events.ts'

const value = z.string().min(1).max(PURGE_VALUE_CHARS_MAX)
const soft = z.boolean().default(false)
const property = z.string().min(1).max(64)

/** By one of: a URL or the beginning of URLs, a property's own pattern or tag, a whole property, everything. */
export const purgeRequestSchema = z.union([
  z.strictObject({ url: value, soft }),
  z.strictObject({ prefix: value, soft }),
  z.strictObject({ property, wildcard: value, soft }),
  z.strictObject({ property, tag: value, soft }),
  z.strictObject({ property, soft }),
  z.strictObject({ all: z.literal(true), soft }),
])

export type PurgeRequest = z.infer<typeof purgeRequestSchema>

export const purgeReplySchema = z.object({ id: eventIdSchema, purge: purgeSchema })

export type PurgeReply = z.infer<typeof purgeReplySchema>

export const purgeStatusSchema = purgeReplySchema.extend({
  /** Milliseconds since the epoch. */
  atMs: z.number(),
  edges: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      /** From the purge to the word that it is applied; null: not yet. */
      tookMs: z.number().nullable(),
    }),
  ),
})

/** GET /api/v1/purges: the newest first. */
export const purgeListSchema = z.object({
  purges: z.array(
    purgeReplySchema.extend({
      atMs: z.number(),
      /** By so many of the configured edges. */
      applied: z.number(),
      edges: z.number(),
    }),
  ),
})

export type PurgeList = z.infer<typeof purgeListSchema>

export type PurgeStatus = z.infer<typeof purgeStatusSchema>
