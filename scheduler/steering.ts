// The steering listener's handler: one request, one decision from the current snapshot, one reply; then the
// counters and the access log.
import type { Clock } from '../src/clock.ts'
import type { Transaction, TransactionHandler } from '../src/http/transaction.ts'
import type { Logger } from '../src/log.ts'
import { formatIp } from '../src/net/ip.ts'
import { ANSWER_FIELDS } from './answer/answers.ts'
import type { SchedulerMetrics } from './admin/metrics.ts'
import { queryOf } from './query.ts'
import type { SnapshotHolder } from './snapshot.ts'
import { steer } from './steer-flow.ts'
import type { Steered } from './steer-flow.ts'

export interface SteeringDeps {
  snapshots: SnapshotHolder
  metrics: SchedulerMetrics
  clock: Clock
  /** Null: no access log, and nothing computed for it. */
  accessLog: Logger | null
}

export function steeringHandler(deps: SteeringDeps): TransactionHandler {
  const { snapshots, metrics, clock, accessLog } = deps
  return ({ request, reply }: Transaction) => {
    const startedMs = clock.monotonic()
    const steered = steer(queryOf(request), snapshots.current, startedMs)
    const { status, extra, body } = steered.answer
    const bytes = Buffer.from(body)
    const bodiless = body === '' || request.method === 'HEAD'
    reply.send({ status, fields: ANSWER_FIELDS, extra, length: bytes.length }, bodiless ? null : bytes)
    const tookMs = clock.monotonic() - startedMs
    metrics.steered(steered, tookMs / 1000)
    if (accessLog !== null) accessLog.info(accessLine(steered, tookMs), 'steered')
  }
}

function accessLine({ query, client, property, location, chosen, answer }: Steered, tookMs: number) {
  return {
    client: client === undefined ? query.peer : formatIp(client),
    method: query.method,
    host: query.host,
    // Query strings carry tokens: they are not logged.
    path: query.path,
    property: property?.id,
    located: location?.source,
    site: chosen?.edge.siteId,
    edge: chosen?.id,
    outcome: answer.outcome,
    status: answer.status,
    durationUs: Math.round(tookMs * 1000),
  }
}
