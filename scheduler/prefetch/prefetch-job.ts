// A prefetch as the schedulers keep it: what it is for, and how much of its list is which edge's.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { NO_COUNTS, addCounts, prefetchIdSchema, prefetchSettingsSchema } from '../../src/wire/prefetch.ts'
import type { PrefetchCounts, PrefetchProgress, PrefetchState } from '../../src/wire/prefetch.ts'

export const prefetchJobSchema = z.object({
  id: prefetchIdSchema,
  /** The entry of a property's `warm` that it comes from, such as `shows#0`; null: an operator asked. */
  warm: z.string().nullable(),
  /** Milliseconds since the epoch. */
  atMs: z.number(),
  cancelledAtMs: z.number().nullable(),
  settings: prefetchSettingsSchema,
  sites: z.array(z.string()),
  urls: z.number(),
  /** Of the list as it is kept. */
  bytes: z.number(),
  /** Edge → URLs of its part. */
  parts: z.record(z.string(), z.number()),
})

export type PrefetchJob = Readonly<z.infer<typeof prefetchJobSchema>>

/** What of an edge's word is needed to divide a rate and to know what is done. */
export type EdgeStanding = Omit<PrefetchProgress, 'failures'>

export function newPrefetchId(): string {
  return randomBytes(6).toString('hex')
}

export function stateOf(job: PrefetchJob, standing: ReadonlyMap<string, EdgeStanding>): PrefetchState {
  if (Object.keys(job.parts).every((edge) => standing.get(edge)?.state === 'done')) return 'done'
  return job.cancelledAtMs === null ? 'active' : 'cancelled'
}

/** Of all edges; what one has not begun is known by the number of its URLs. */
export function countsOf(job: PrefetchJob, standing: ReadonlyMap<string, EdgeStanding>): PrefetchCounts {
  return Object.entries(job.parts).reduce(
    (sum, [edge, urls]) => addCounts(sum, standing.get(edge)?.counts ?? { ...NO_COUNTS, known: urls }),
    NO_COUNTS,
  )
}
