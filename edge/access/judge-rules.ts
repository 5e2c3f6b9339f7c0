// Step: the property's access rules, by the client's true address.
import type { AccessRequest } from '../../src/access/access-request.ts'
import { judgeRules as judge } from '../../src/access/judge-rules.ts'
import { whereaboutsOf } from '../../src/geo/whereabouts.ts'
import type { Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { clientOf } from './client.ts'
import { deny } from './deny.ts'

export function judgeRules(exchange: Exchange): StepName {
  const { property } = exchange
  if (property === null) throw new Error('judge-rules comes after select-property')
  const { rules, tokens } = property.access
  const denial = rules === null ? null : judge(rules, accessRequestOf(exchange))
  if (denial !== null) return deny(exchange, denial.reason, denial.status, denial.rule)
  return tokens === null ? 'judge-limits' : 'judge-token'
}

function accessRequestOf(exchange: Exchange): AccessRequest {
  const { edge, request, path } = exchange
  const address = clientOf(exchange)
  const { place, asn } = whereaboutsOf(edge.places, address)
  return {
    address,
    method: request.method,
    path,
    nowMs: edge.clock.now(),
    header: (name) => request.header(name),
    place,
    asn,
  }
}
