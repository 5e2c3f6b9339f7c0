// The decision log: one decision in so many, with its reasons, as `edgeward explain` tells them.
import type { Random } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { LOGGED_SITES_MAX } from '../limits.ts'
import type { Steered } from '../steer-flow.ts'
import { decisionRecordOf } from './decision-record.ts'

export type DecisionLog = (steered: Steered) => void

/** `share` from 0, which is none, to 1. */
export function sampledDecisions(share: number, log: Logger, random: Random): DecisionLog | null {
  if (share === 0) return null
  return (steered) => {
    if (random() >= share) return
    log.info({ decision: decisionRecordOf(steered, OPTIONS) }, 'decision')
  }
}

const OPTIONS = { everySite: false, sitesMax: LOGGED_SITES_MAX }
