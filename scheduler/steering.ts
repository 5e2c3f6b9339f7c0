// The steering listener's handler: one request, one decision from the current snapshot, one reply; then the
// counters and the access log. A plain request is answered at once, any other by the steps of steer-flow.ts.
import type { Clock } from '../src/clock.ts'
import type { Background } from '../src/background.ts'
import type { HttpReply, Transaction, TransactionHandler } from '../src/http/transaction.ts'
import type { Logger } from '../src/log.ts'
import { plainLine, steeredLine } from './access-line.ts'
import { ANSWER_FIELDS } from './answer/answer-fields.ts'
import type { SchedulerMetrics } from './admin/metrics.ts'
import type { DemandTracker } from './choose/demand.ts'
import type { DecisionLog } from './explain/decision-log.ts'
import { judgeToken } from './access.ts'
import type { JudgedToken } from './access.ts'
import { plainRedirect } from './plain-redirect.ts'
import type { PlainRedirect } from './plain-redirect.ts'
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
  return (transaction: Transaction) => {
    const startedMs = clock.monotonic()
    const snapshot = snapshots.current
    const isLogged = decisionLog?.isWanted() ?? false
    const { request, reply } = transaction
    const plain = isLogged ? undefined : plainRedirect(request, snapshot, demand, startedMs)
    if (plain !== undefined) {
      sendPlain(deps, transaction, plain)
      return
    }
    const query = queryOf(request, clock.now())
    const asked = readQuery(query, snapshot.topology.properties)
    const answer = (token: JudgedToken | null) => {
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

function sendPlain(deps: SteeringDeps, { request, reply }: Transaction, plain: PlainRedirect): void {
  const { metrics, clock, demand, accessLog } = deps
  const { choice, site, edge, property, location, head } = plain
  demand.note(choice, site, edge, choice.nowMs)
  reply.send(head, null)
  const tookMs = clock.monotonic() - choice.nowMs
  metrics.answered('redirect', property, location.source, tookMs / 1000)
  if (accessLog !== null) accessLog.info(plainLine(request, plain, tookMs), 'steered')
}

const NOTHING = Buffer.alloc(0)

function send({ metrics, clock, accessLog }: SteeringDeps, reply: HttpReply, steered: Steered): void {
  const { status, extra, body, outcome } = steered.answer
  const bytes = body === '' ? NOTHING : Buffer.from(body)
  const bodiless = body === '' || steered.query.method === 'HEAD'
  reply.send({ status, fields: ANSWER_FIELDS, extra, length: bytes.length }, bodiless ? null : bytes)
  const tookMs = clock.monotonic() - steered.nowMs
  const { property, location, denial } = steered
  metrics.answered(outcome, property, location?.source, tookMs / 1000)
  if (denial !== null) metrics.denied(property, denial.reason)
  if (accessLog !== null) accessLog.info(steeredLine(steered, tookMs), 'steered')
}
