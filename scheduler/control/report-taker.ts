// What becomes of an edge's report: taken into the registry, or refused with the reason.
import { edgeReportSchema } from '../../src/wire/report.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { SchedulerMetrics } from '../admin/metrics.ts'
import type { BoundedLog } from '../bounded-log.ts'
import type { Registry } from '../registry/registry.ts'
import type { EdgeView } from '../topology.ts'
import { impossibleClaimOf } from './impossible-claim.ts'

export interface ReportTakerDeps {
  readonly registry: Registry
  readonly metrics: SchedulerMetrics
  readonly warnings: BoundedLog
  /** The reply to a report that was taken, as text. */
  readonly replyAt: (siteId: string) => string
}

export interface ReportAnswer {
  readonly status: number
  /** JSON. */
  readonly text: string
}

/** `body` as it was parsed; `holders`: the edges whose key came with it. */
export type TakeReport = (body: unknown, holders: readonly EdgeView[], peer: string) => ReportAnswer

export function reportTaker({ registry, metrics, warnings, replyAt }: ReportTakerDeps): TakeReport {
  return (body, holders, peer) => {
    const parsed = edgeReportSchema.safeParse(body)
    if (!parsed.success) {
      metrics.reported('invalid')
      const [issue] = parsed.error.issues
      const field = issue?.path.join('.') ?? ''
      return refusal(400, 'report', `${field === '' ? 'report' : field}: ${issue?.message ?? ''}`)
    }
    const report = parsed.data
    const { id } = report
    const edge = holders.find((holder) => holder.id === id)
    if (edge === undefined) {
      metrics.reported('other-edge')
      // Of all ids together: this one may be anything.
      warnings.warn('other-edge', { edge: id, peer }, 'a report came with the key of another edge')
      return refusal(403, 'id', `id: this key is not that of edge "${id}"`)
    }
    if (registry.record(report) === 'retired') {
      metrics.reported('duplicate-id')
      warnings.warn(
        `duplicate-id ${id}`,
        { edge: id, peer },
        'two processes report as one edge: the one that started later is taken',
      )
      const words = `another process reports as edge "${id}", and started later`
      return refusal(409, 'id', `id: ${words}; end one, or give it an id of its own`)
    }
    metrics.reported(isPossible(report, edge, warnings) ? 'accepted' : 'impossible')
    return { status: 200, text: replyAt(edge.siteId) }
  }
}

function isPossible(report: EdgeReport, edge: EdgeView, warnings: BoundedLog): boolean {
  const claim = impossibleClaimOf(report, edge)
  if (claim === null) return true
  warnings.warn(
    `impossible ${edge.id}`,
    { edge: edge.id, claim },
    'a report claims more than its edge can carry: it counts as overloaded',
  )
  return false
}

function refusal(status: number, error: string, message: string): ReportAnswer {
  return { status, text: JSON.stringify({ error, message }) }
}
