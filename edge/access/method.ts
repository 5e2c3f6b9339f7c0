// Step: which methods are served. Address, Referer, token and limit rules take their place after it.
import { EdgewardError } from '../../src/errors.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'

export function judgeMethod(exchange: Exchange): StepName {
  const { method } = exchange.request
  const methods = exchange.property?.methods ?? []
  if (methods.includes(method)) return method === 'OPTIONS' ? 'preflight' : 'make-key'
  exchange.error = new EdgewardError('method_not_allowed', 'client', `${method} is not served here`)
  exchange.refusal = ['Allow', methods.join(', ')]
  return 'refuse'
}
