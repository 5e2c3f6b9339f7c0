// Step: which methods are served. Address, Referer, token and limit rules take their place after it.
import { EdgewardError } from '../../src/errors.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

const ALLOWED = 'GET, HEAD, OPTIONS'

export function judgeMethod(exchange: Exchange): StepName {
  const { method } = exchange.request
  if (method === 'GET' || method === 'HEAD') return 'make-key'
  if (method === 'OPTIONS') return 'preflight'
  exchange.error = new EdgewardError('method_not_allowed', 'client', `${method} is not served here`)
  exchange.refusal = ['Allow', ALLOWED]
  return 'refuse'
}
