// Reports that other schedulers left in the store, as this one last read them: their ages, and how those stand
// still while the store is away. Plain functions over the map that redis.ts owns.
import { z } from 'zod'
import { edgeReportSchema } from '../../src/wire/report.ts'
import { DOWN_AFTER_MS } from '../limits.ts'
import { isRetired } from './instances.ts'
import type { HeardReport, SeenReport } from './registry.ts'

/** Its clock can be set on: that of a held report stands still. */
export interface OwnReport extends HeardReport {
  receivedAtMs: number
}

export interface SharedReport extends OwnReport {
  /** As read, so that an unchanged value is not parsed again. */
  text: string
}

export const storedReportSchema = z.object({
  /** The scheduler that wrote it: a scheduler does not take its own echo for news. */
  by: z.string(),
  report: edgeReportSchema,
})

export type StoredReport = z.infer<typeof storedReportSchema>

export interface ReadReport {
  /** Undefined: there is none. */
  text: unknown
  /** Lifetime that is left. */
  leftMs: unknown
  sentAtMs: number
  /** By how much a slow store may have made reports look older than they are. */
  slackMs: number
  /** The store has just come back: no report gets older than it was before. */
  inGrace: boolean
}

/** Gives false when the value is not a report of this edge. */
export function takeShared(
  shared: Map<string, SharedReport>,
  id: string,
  self: string,
  { text, leftMs, sentAtMs, slackMs, inGrace }: ReadReport,
): boolean {
  // A missing key leaves the last report to age: it expired, or Redis was flushed and the next report heals it.
  if (typeof text !== 'string' || typeof leftMs !== 'number' || leftMs < 0) return true
  // No scheduler wrote that: it would keep a dead edge alive for as long as it says.
  if (leftMs > DOWN_AFTER_MS) return false
  const known = shared.get(id)
  // The lifetime that is left tells the age, so that no two clocks are compared.
  const readAtMs = sentAtMs - Math.max(0, DOWN_AFTER_MS - leftMs - slackMs)
  const receivedAtMs = inGrace ? Math.max(readAtMs, known?.receivedAtMs ?? readAtMs) : readAtMs
  if (known?.text === text) {
    known.receivedAtMs = receivedAtMs
    return true
  }
  const stored = parseStored(text)
  if (stored === undefined || stored.report.id !== id) return false
  if (stored.by !== self) shared.set(id, { report: stored.report, receivedAtMs, text })
  return true
}

/** Clocks that stood still go on from where they were. */
export function shiftShared(shared: ReadonlyMap<string, SharedReport>, standstillMs: number): void {
  for (const report of shared.values()) report.receivedAtMs += standstillMs
}

/** What this scheduler heard itself since, the store's older word must not outlive. */
export function dropOutdated(shared: Map<string, SharedReport>, own: ReadonlyMap<string, OwnReport>): void {
  for (const [id, { receivedAtMs }] of shared) {
    const heard = own.get(id)
    if (heard !== undefined && heard.receivedAtMs >= receivedAtMs) shared.delete(id)
  }
}

/** The freshest of each edge, wherever it arrived; of two processes of one edge, that of the one that is the edge. */
export function mergeReports(
  own: ReadonlyMap<string, OwnReport>,
  shared: ReadonlyMap<string, SharedReport>,
  heldAtMs: number | null,
): Map<string, SeenReport> {
  const merged = new Map<string, SeenReport>()
  for (const [id, { report, receivedAtMs }] of shared) merged.set(id, { report, receivedAtMs, heldAtMs })
  for (const [id, heard] of own) {
    if (freshest(heard, shared.get(id)) === heard) merged.set(id, { ...heard, heldAtMs: null })
  }
  return merged
}

/** The same of one edge: each report asks for that, and to merge all takes as long as there are edges. */
export function freshest(
  heard: OwnReport | undefined,
  other: SharedReport | undefined,
): OwnReport | undefined {
  if (heard === undefined || other === undefined) return heard ?? other
  if (isRetired(other, heard)) return heard
  return heard.receivedAtMs >= other.receivedAtMs && !isRetired(heard, other) ? heard : other
}

function parseStored(text: string): StoredReport | undefined {
  try {
    return storedReportSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
