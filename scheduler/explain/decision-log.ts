// The decision log: one decision in so many, with its reasons, as `edgeward explain` tells them.
import type { Random } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { LOGGED_SITES_MAX } from '../limits.ts'
import type { Steered } from '../steer-flow.ts'
import { decisionRecordOf } from './decision-record.ts'

export interface DecisionLog {
  /** Asked once a decision, before it is made: one that is logged is made thoroughly. */
  isWanted(): boolean
  write(steered: Steered): void
}

/** `share` from 0, which is none, to 1. */
export function sampledDecisions(share: number, log: Logger, random: Random): DecisionLog | null {
  if (share === 0) return null
  return {
    isWanted: () => random() < share,
    write: (steered) => log.info({ decision: decisionRecordOf(steered, OPTIONS) }, 'decision'),
  }
}

const OPTIONS = { everySite: false, sitesMax: LOGGED_SITES_MAX }
