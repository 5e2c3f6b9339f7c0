// The steering listener's handler: one request, one decision from the current snapshot, one reply; then the
// counters and the access log.
import type { Clock } from '../src/clock.ts'
import type { Background } from '../src/background.ts'
import type { HttpReply, Transaction, TransactionHandler } from '../src/http/transaction.ts'
import type { Logger } from '../src/log.ts'
import { formatIp } from '../src/net/ip.ts'
import { ANSWER_FIELDS } from './answer/answers.ts'
import type { SchedulerMetrics } from './admin/metrics.ts'
import type { DemandTracker } from './choose/demand.ts'
import type { DecisionLog } from './explain/decision-log.ts'
import { judgeToken } from './access.ts'
import type { JudgedToken } from './access.ts'
import { queryOf, readQuery } from './query.ts'
import type { SnapshotHolder } from './snapshot.ts'
import { steer } from './steer-flow.ts'
import type { Steered } from './steer-flow.ts'

export interface SteeringDeps {
  snapshots: SnapshotHolder
  metrics: SchedulerMetrics
  clock: Clock
  background: Background
  /** Of this scheduler's own decisions. */
  demand: DemandTracker
  /** Null: no access log, and nothing computed for it. */
  accessLog: Logger | null
  /** Null: no decision is logged. */
  decisionLog: DecisionLog | null
}

export function steeringHandler(deps: SteeringDeps): TransactionHandler {
  const { snapshots, clock, background, demand, decisionLog } = deps
  return ({ request, reply }: Transaction) => {
    const startedMs = clock.monotonic()
    const query = queryOf(request, clock.now())
    const snapshot = snapshots.current
    const asked = readQuery(query, snapshot.topology.properties)
    const answer = (token: JudgedToken | null) => {
      const isLogged = decisionLog?.isWanted() ?? false
      const steered = steer(query, snapshot, startedMs, token, demand, asked, isLogged)
      // Before this decision counts as demand for the next.
      if (isLogged) decisionLog?.write(steered)
      noteDemand(demand, steered)
      send(deps, reply, steered)
    }
    const token = judgeToken(asked, snapshot)
    // Only for a token that is new here, of a scheme whose check waits; it asks nobody and does not fail.
    if (token instanceof Promise) background('judge-token', token.then(answer))
    else answer(token)
  }
}

/** For the decisions after this one. A player that stays where it is brings nothing new. */
export function noteDemand(demand: DemandTracker, steered: Steered): void {
  const { choice, site, chosen, pathways, nowMs } = steered
  if (pathways?.stays !== undefined) return
  if (choice === undefined || site === undefined || chosen === undefined) return
  demand.note(choice, site, chosen.edge, nowMs)
}

const NOTHING = Buffer.alloc(0)

function send({ metrics, clock, accessLog }: SteeringDeps, reply: HttpReply, steered: Steered): void {
  const { status, extra, body } = steered.answer
  const bytes = body === '' ? NOTHING : Buffer.from(body)
  const bodiless = body === '' || steered.query.method === 'HEAD'
  reply.send({ status, fields: ANSWER_FIELDS, extra, length: bytes.length }, bodiless ? null : bytes)
  const tookMs = clock.monotonic() - steered.nowMs
  metrics.steered(steered, tookMs / 1000)
  if (accessLog !== null) accessLog.info(accessLine(steered, tookMs), 'steered')
}

function accessLine(steered: Steered, tookMs: number) {
  const { query, client, property, location, chosen, answer } = steered
  return {
    client: client === undefined ? query.peer : formatIp(client),
    method: query.method,
    host: query.host,
    // Without query, and without the tokens that a path may hold; where, only a property tells.
    path:
      property !== undefined ? steered.path : query.path.startsWith('/.edgeward/') ? query.path : undefined,
    property: property?.id,
    located: location?.source,
    site: (steered.pathways?.stays ?? chosen?.edge)?.siteId,
    edge: steered.pathways?.stays?.id ?? chosen?.id,
    outcome: answer.outcome,
    denied: steered.denial?.reason,
    status: answer.status,
    durationUs: Math.round(tookMs * 1000),
  }
}
