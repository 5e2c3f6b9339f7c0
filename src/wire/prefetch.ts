// Prefetches: content that edges fetch because an operator, or a property's `warm`, asks for it. What an edge is told of
// its part and says of its progress (/edge/v1/prefetches), and what operators are told (/api/v1/prefetches).
import { z } from 'zod'

export const prefetchIdSchema = z.string().regex(/^[0-9a-f]{12}$/, 'must be 12 hex digits')

/** Of a main playlist: bounds that none of its renditions keeps mean the lowest. */
export const renditionsSchema = z.union([
  z.enum(['all', 'highest', 'lowest']),
  z.strictObject({ heightMax: z.number().int().positive() }),
  z.strictObject({ bandwidthMax: z.number().int().positive() }),
])

export type Renditions = z.infer<typeof renditionsSchema>

/** As compileHours takes it. */
export const prefetchWindowSchema = z.strictObject({ daily: z.string().max(16), zone: z.string().max(64) })

export type PrefetchWindow = z.infer<typeof prefetchWindowSchema>

export const prefetchSettingsSchema = z.strictObject({
  renditions: renditionsSchema,
  /** Bits a second of all edges together; null: as fast as they can. */
  bitRate: z.number().positive().nullable(),
  /** null: at any time. */
  window: prefetchWindowSchema.nullable(),
})

export type PrefetchSettings = z.infer<typeof prefetchSettingsSchema>

/**
 * missing: 404 or 410. refused: 401, 403 or 407. status: any other that is no success. trouble: a server error, time
 * and again. unreachable, timeout, broken: no whole answer came of it. uncacheable: the answer is not for others.
 * live: a playlist that goes on. playlist: none that can be read, or one too deep. unkept: the disk did not take it.
 * no-property: the edge does not serve it (any more).
 */
export const PREFETCH_FAILURES = [
  'missing',
  'refused',
  'status',
  'trouble',
  'unreachable',
  'timeout',
  'broken',
  'uncacheable',
  'live',
  'playlist',
  'unkept',
  'no-property',
] as const

export type PrefetchFailure = (typeof PREFETCH_FAILURES)[number]

/** Of an edge that are told one by one; of further ones the number. */
export const PREFETCH_FAILURES_TOLD_MAX = 100
export const PREFETCH_DETAIL_CHARS_MAX = 200

/** Path and query of what is prefetched, inside its property. */
export const PREFETCH_PATH_CHARS_MAX = 4096

/** Of one that failed; of a longer one, its beginning. */
export const PREFETCH_FAILED_CHARS_MAX = 1024

const failedObjectSchema = z.strictObject({
  property: z.string().max(64),
  path: z.string().max(PREFETCH_FAILED_CHARS_MAX),
  reason: z.enum(PREFETCH_FAILURES),
  /** For people: the status, what the connection said. */
  detail: z.string().max(PREFETCH_DETAIL_CHARS_MAX),
})

export type FailedObject = z.infer<typeof failedObjectSchema>

const count = z.number().int().nonnegative()

export const prefetchCountsSchema = z.strictObject({
  /** Of the list, that are dealt with, with all that they name. */
  urls: count,
  /** Objects found so far, and what is left of the list. */
  known: count,
  /** Brought, or here already and fresh. */
  fetched: count,
  present: count,
  failed: count,
  /** Named by playlists, and in another place than the property. */
  elsewhere: count,
  /** Of bodies fetched. */
  bytes: count,
  /** Time in which it worked: not what it waited for its hours. */
  workedMs: z.number().nonnegative(),
})

export type PrefetchCounts = z.infer<typeof prefetchCountsSchema>

export const NO_COUNTS: PrefetchCounts = {
  urls: 0,
  known: 0,
  fetched: 0,
  present: 0,
  failed: 0,
  elsewhere: 0,
  bytes: 0,
  workedMs: 0,
}

export const PREFETCH_STATES = ['queued', 'out-of-hours', 'working', 'done'] as const

/** Where an edge that starts again goes on: everything before this place of the list is dealt with. */
const checkpointSchema = z.strictObject({
  from: count,
  counts: prefetchCountsSchema,
  /** Of those that are told, how many were before it. */
  failures: count,
})

export type PrefetchCheckpoint = z.infer<typeof checkpointSchema>

export const prefetchProgressSchema = z.strictObject({
  state: z.enum(PREFETCH_STATES),
  counts: prefetchCountsSchema,
  /** Bits a second of late. */
  bitRate: z.number().nonnegative(),
  failures: z.array(failedObjectSchema).max(PREFETCH_FAILURES_TOLD_MAX),
  checkpoint: checkpointSchema,
})

export type PrefetchProgress = z.infer<typeof prefetchProgressSchema>

/** How often an edge says so at most. */
export const PREFETCH_PROGRESS_EVERY_MS = 1000

/** GET /edge/v1/prefetches?edge=ID: those with a part for the edge that it has not done. */
export const edgePrefetchesSchema = z.strictObject({ ids: z.array(prefetchIdSchema) })

/** GET /edge/v1/prefetches/ID?edge=ID. gone: cancelled, or not known any more. */
export const edgePrefetchSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('gone') }),
  z.strictObject({
    state: z.literal('active'),
    settings: prefetchSettingsSchema,
    /** URLs of this edge's part. */
    urls: count,
    /** What the edge itself last said; null: nothing. */
    progress: prefetchProgressSchema.nullable(),
  }),
])

export type EdgePrefetch = z.infer<typeof edgePrefetchSchema>

/** GET /edge/v1/prefetches/ID/urls?edge=ID&from=N: the edge's own in that part of the list. */
export const edgePrefetchUrlsSchema = z.strictObject({
  urls: z.array(z.strictObject({ property: z.string(), path: z.string() })),
  /** Where to go on; null: the list ends here. */
  next: count.nullable(),
})

export type EdgePrefetchUrls = z.infer<typeof edgePrefetchUrlsSchema>
export type PrefetchUrl = EdgePrefetchUrls['urls'][number]

/** Answer to the progress that an edge PUTs. */
export const progressReplySchema = z.strictObject({
  state: z.enum(['active', 'gone']),
  /** The edge's share at this moment: what is done or away elsewhere leaves more. null: unbounded. */
  bitRate: z.number().positive().nullable(),
})

export type ProgressReply = z.infer<typeof progressReplySchema>

// What operators are told.

export const prefetchReplySchema = z.object({
  id: prefetchIdSchema,
  urls: z.number(),
  /** How many edges have a part of it. */
  edges: z.number(),
})

export type PrefetchReply = z.infer<typeof prefetchReplySchema>

/** Of the whole: cancelled, done by every edge that has a part, or not. */
export const prefetchStateSchema = z.enum(['active', 'done', 'cancelled'])

export type PrefetchState = z.infer<typeof prefetchStateSchema>

const prefetchHeadSchema = z.object({
  id: prefetchIdSchema,
  state: prefetchStateSchema,
  /** The property whose `warm` it comes from; null: an operator asked. */
  warm: z.string().nullable(),
  /** Milliseconds since the epoch. */
  atMs: z.number(),
  settings: prefetchSettingsSchema,
  sites: z.array(z.string()),
  urls: z.number(),
})

export const prefetchStatusSchema = prefetchHeadSchema.extend({
  edges: z.array(
    z.object({
      id: z.string(),
      site: z.string(),
      /** Of the edge, as `edgeward status` says it. */
      health: z.string(),
      urls: z.number(),
      /** null: it has not said anything. */
      progress: prefetchProgressSchema.nullable(),
    }),
  ),
})

export type PrefetchStatus = z.infer<typeof prefetchStatusSchema>

export const prefetchListSchema = z.object({
  prefetches: z.array(prefetchHeadSchema.extend({ counts: prefetchCountsSchema })),
})

export type PrefetchList = z.infer<typeof prefetchListSchema>

export function addCounts(a: PrefetchCounts, b: PrefetchCounts): PrefetchCounts {
  return {
    urls: a.urls + b.urls,
    known: a.known + b.known,
    fetched: a.fetched + b.fetched,
    present: a.present + b.present,
    failed: a.failed + b.failed,
    elsewhere: a.elsewhere + b.elsewhere,
    bytes: a.bytes + b.bytes,
    // Edges work side by side.
    workedMs: Math.max(a.workedMs, b.workedMs),
  }
}
