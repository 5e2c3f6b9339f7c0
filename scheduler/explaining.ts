// Answers `edgeward explain`: decides as the steering listener does, from the same snapshot and demand, and leaves no
// trace in either.
import type { Clock } from '../src/clock.ts'
import type { Inquiry } from '../src/inquiry.ts'
import type { Decision } from '../src/wire/decision.ts'
import { judgeToken } from './access.ts'
import type { Demand } from './choose/demand.ts'
import { decisionRecordOf } from './explain/decision-record.ts'
import { readQuery } from './query.ts'
import type { SteerQuery } from './query.ts'
import type { SnapshotHolder } from './snapshot.ts'
import { steer } from './steer-flow.ts'

export interface ExplainingDeps {
  snapshots: SnapshotHolder
  demand: Demand
  clock: Clock
}

export function explainer({
  snapshots,
  demand,
  clock,
}: ExplainingDeps): (inquiry: Inquiry) => Promise<Decision> {
  return async (inquiry) => {
    const query = steerQueryOf(inquiry)
    const snapshot = snapshots.current
    const asked = readQuery(query, snapshot.topology.properties)
    const token = await judgeToken(asked, snapshot)
    const steered = steer(query, snapshot, clock.monotonic(), token, demand, asked)
    return decisionRecordOf(steered, { everySite: true, sitesMax: Infinity })
  }
}

function steerQueryOf({ method, scheme, host, target, peer, nowMs, header }: Inquiry): SteerQuery {
  const question = target.indexOf('?')
  return {
    method,
    host,
    path: question < 0 ? target : target.slice(0, question),
    search: question < 0 ? '' : target.slice(question),
    peer,
    origin: header('origin'),
    requestedHeaders: undefined,
    secure: scheme === 'https',
    atMs: nowMs,
    header,
  }
}
