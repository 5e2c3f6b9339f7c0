// What an edge says of itself every second: POST /edge/v1/report, bearer key.
import { z } from 'zod'

const count = z.number().int().nonnegative()

export const edgeReportSchema = z.strictObject({
  id: z.string().min(1).max(64),
  /** degraded: serves, but with a failed disk or without any. draining: takes no new client. */
  state: z.enum(['up', 'degraded', 'draining']),
  /** Edgeward's version. */
  version: z.string().max(64),
  /** Version of the configuration it runs; '' before it has any. */
  configVersion: z.string().max(128),
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
})

export type EdgeReport = z.infer<typeof edgeReportSchema>

export const reportReplySchema = z.object({
  /** The configuration the scheduler wants it to run: fetch /edge/v1/config when it differs. */
  configVersion: z.string(),
})

export type ReportReply = z.infer<typeof reportReplySchema>

/** Between two reports. */
export const REPORT_EVERY_MS = 1000
