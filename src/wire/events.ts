// What the scheduler tells all edges, in one order: GET /edge/v1/events?after=ID, bearer key, held until there is
// something behind ID. Asking for what is behind ID says that everything up to it is applied.
import { z } from 'zod'
import { prefetchIdSchema } from './prefetch.ts'

/** `MILLISECONDS-NUMBER`, as ids of a Redis stream: later ones are larger by the first number, then by the second. */
export const eventIdSchema = z.string().regex(/^\d{1,15}-\d{1,15}$/, 'must be like 1700000000000-0')

/** Before every event: what an edge has heard that knows the log from its beginning. */
export const NO_EVENT_YET = '0-0'

/** What is purged, of one property or, without one, of all. */
export const PURGE_SCOPES = ['url', 'prefix', 'wildcard', 'tag', 'property', 'all'] as const

export type PurgeScope = (typeof PURGE_SCOPES)[number]

/** Of a URL, a prefix, a pattern or a tag. */
export const PURGE_VALUE_CHARS_MAX = 4096

export const purgeSchema = z.strictObject({
  /** null: of every property. */
  property: z.string().min(1).max(64).nullable(),
  scope: z.enum(PURGE_SCOPES),
  /** Path and query of a URL, the beginning of paths, a glob over paths, or a tag; '' for a property and for all. */
  value: z.string().max(PURGE_VALUE_CHARS_MAX),
  /** Asked for again before it is used; false: gone. */
  soft: z.boolean(),
})

export type Purge = z.infer<typeof purgeSchema>

export const clusterEventSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('purge'),
    id: eventIdSchema,
    /** The scheduler's clock, milliseconds since the epoch. */
    atMs: z.number().nonnegative(),
    purge: purgeSchema,
  }),
  z.strictObject({
    kind: z.literal('config'),
    id: eventIdSchema,
    atMs: z.number().nonnegative(),
    /** Of the cluster's configuration: an edge fetches what that makes of its own. */
    version: z.number().int().positive(),
  }),
  z.strictObject({
    kind: z.literal('prefetch'),
    id: eventIdSchema,
    atMs: z.number().nonnegative(),
    /** Begun or cancelled: an edge asks what it is to do of it. */
    prefetch: prefetchIdSchema,
  }),
])

export type ClusterEvent = z.infer<typeof clusterEventSchema>

export type PurgeEvent = Extract<ClusterEvent, { kind: 'purge' }>

/** In one answer; an edge that has missed more asks again. */
export const EVENTS_AT_ONCE_MAX = 500

/** How long a scheduler holds the question while nothing happens: less than it keeps an idle connection. */
export const EVENTS_HELD_MS = 8000

/**
 * An edge that has heard of a new configuration asks for it at once; a scheduler that does not run it yet answers when
 * it does, and after this with what it runs.
 */
export const CONFIG_HELD_MS = 3000

export const eventsReplySchema = z.strictObject({
  events: z.array(clusterEventSchema).max(EVENTS_AT_ONCE_MAX),
  /** The last of them, or the newest there is when none was asked for. */
  last: z.union([eventIdSchema, z.literal('')]),
  /** What is behind `after` is no longer all kept: the edge must ask for everything anew that it has. */
  gap: z.boolean(),
  /** As in the reply to a report. A question that is held is answered when it changes. */
  guidanceVersion: z.string().optional(),
})

export type EventsReply = z.infer<typeof eventsReplySchema>

/** Negative when `a` is earlier. */
export function compareEventIds(a: string, b: string): number {
  const [one, other] = [eventIdParts(a), eventIdParts(b)]
  return one.ms - other.ms || one.number - other.number
}

export function eventIdParts(id: string): { ms: number; number: number } {
  const [ms = 0, number = 0] = id.split('-').map(Number)
  return { ms, number }
}
