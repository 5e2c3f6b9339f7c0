// Two processes that report as one edge: the one that started last is the edge, as long as it reports. When each of
// them started is told from its own uptime, so that schedulers that hear one of them each agree without comparing
// clocks, and one that has just started agrees with the others.
import { DOWN_AFTER_MS, SAME_START_MS } from '../limits.ts'
import type { HeardReport } from './registry.ts'

/** Whether a report is of a process that is the edge no longer: `last` is the newest that is known of the edge. */
export function isRetired(heard: HeardReport, last: HeardReport | undefined): boolean {
  if (last === undefined || heard.report.instance === last.report.instance) return false
  // Real time, also while a view is held: what keeps another out must have been heard of.
  if (heard.receivedAtMs - last.receivedAtMs >= DOWN_AFTER_MS) return false
  const later = startedAtMs(last) - startedAtMs(heard)
  if (Math.abs(later) > SAME_START_MS) return later > 0
  // Started at once, as replicas are: any order that all schedulers share.
  return last.report.instance > heard.report.instance
}

/** On this scheduler's clock. */
function startedAtMs({ report, receivedAtMs }: HeardReport): number {
  return receivedAtMs - report.uptimeMs
}
