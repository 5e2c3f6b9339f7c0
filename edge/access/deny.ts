// A refusal by a rule, a token or a limit: one word for the log, the metric and the short body.
import { EdgewardError } from '../../src/errors.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

/** `rule`: name of the one that decided, for the log. */
export function deny(
  exchange: Exchange,
  reason: string,
  status: number,
  rule: string | null = null,
): StepName {
  exchange.access.denial = reason
  exchange.access.rule = rule
  exchange.error = new EdgewardError('denied', 'client', `denied: ${reason}`, { status })
  return 'refuse'
}
