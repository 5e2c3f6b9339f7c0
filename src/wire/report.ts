// What an edge says of itself every second: POST /edge/v1/report, bearer key.
import { z } from 'zod'

/** Of a directory that is reported; of a longer one, the part that fits. */
export const DIRECTORY_CHARS_MAX = 256

/** Directories and properties in one report: the busiest. */
export const REPORTED_DIRECTORIES_MAX = 32
export const REPORTED_PROPERTIES_MAX = 256

/** Origins in one report: those with failures first. */
export const REPORTED_ORIGINS_MAX = 64

/** Of the reason for which an edge refuses a configuration; the rest is cut. */
export const CONFIG_REASON_CHARS_MAX = 500

export const configRefusalSchema = z.strictObject({
  version: z.string().max(128),
  reason: z.string().max(CONFIG_REASON_CHARS_MAX),
})

export type ConfigRefusal = z.infer<typeof configRefusalSchema>

const count = z.number().int().nonnegative()

/** A directory whose objects are sent more than others. */
export const busyDirectorySchema = z.strictObject({
  property: z.string().min(1).max(64),
  /** From `/` to `/`, as in cache keys: normalised, and without any token. */
  path: z
    .string()
    .max(DIRECTORY_CHARS_MAX)
    .regex(/^\/(?:.*\/)?$/s, 'must begin and end with a slash'),
  /** Body bits a second, a mean over the last seconds. */
  bitRate: z.number().nonnegative(),
})

export type BusyDirectory = z.infer<typeof busyDirectorySchema>

/** Body bits a second of one property since the last report. */
export const propertyRateSchema = z.strictObject({
  id: z.string().min(1).max(64),
  bitRate: z.number().nonnegative(),
})

export type PropertyRate = z.infer<typeof propertyRateSchema>

/** What requests to one origin came to since the last report. */
export const originOutcomesSchema = z.strictObject({
  id: z.string().min(1).max(64),
  ok: count,
  /** Unreachable, too slow, cut, or a status for which the next upstream is asked. */
  failed: count,
  /** Its circuit is open: the last of them failed, in a row. Also told while it is and nothing is asked. */
  open: z.literal(true).optional(),
})

export type OriginOutcomes = z.infer<typeof originOutcomesSchema>

export const edgeReportSchema = z.strictObject({
  id: z.string().min(1).max(64),
  /** Random, of one process: two that report as one edge are told apart by it. */
  instance: z.string().min(1).max(64),
  /** degraded: serves, but with a failed disk or without any. draining: takes no new client. */
  state: z.enum(['up', 'degraded', 'draining']),
  /** Edgeward's version. */
  version: z.string().max(64),
  /** Version of the configuration it runs; '' before it has any. */
  configVersion: z.string().max(128),
  /** One that it was sent and cannot run, and why: it runs on with what it had. */
  configRefused: configRefusalSchema.optional(),
  uptimeMs: z.number().nonnegative(),
  /** Open client connections now. */
  connections: count,
  /** Requests answered since the last report, a second. */
  requestRate: z.number().nonnegative(),
  /** Body bytes sent to clients since the last report, in bits a second. */
  sentBitRate: z.number().nonnegative(),
  /** Share of the requests since the last report answered from the cache, 0 to 1; null when there were none. */
  hitRatio: z.number().min(0).max(1).nullable(),
  memoryBytes: count,
  diskBytes: count,
  /** The busiest first. */
  directories: z.array(busyDirectorySchema).max(REPORTED_DIRECTORIES_MAX),
  /** Of the properties whose configuration asks for it. */
  properties: z.array(propertyRateSchema).max(REPORTED_PROPERTIES_MAX),
  /** Those that were asked since the last one. */
  origins: z.array(originOutcomesSchema).max(REPORTED_ORIGINS_MAX).optional(),
})

export type EdgeReport = z.infer<typeof edgeReportSchema>

export const reportReplySchema = z.object({
  /** The configuration the scheduler wants it to run: fetch /edge/v1/config when it differs. */
  configVersion: z.string(),
  /** Of what the edge is told at run time: fetch /edge/v1/guidance when it differs. Left out: there is none. */
  guidanceVersion: z.string().optional(),
})

export type ReportReply = z.infer<typeof reportReplySchema>

/** Between two reports. */
export const REPORT_EVERY_MS = 1000
