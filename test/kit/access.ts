// Requests as the access rules see them, for tests: only what a test speaks of is there.
import type { AccessRequest } from '../../src/access/access-request.ts'
import { compileAccessRules, explainRules, judgeRules } from '../../src/access/judge-rules.ts'
import type { AccessRuleSettings } from '../../src/access/rule-settings.ts'
import { parseIp } from '../../src/net/ip.ts'

export interface Asked {
  address?: string
  country?: string
  asn?: number
  method?: string
  path?: string
  /** ISO. */
  at?: string
  /** By lower-case name. */
  fields?: Record<string, string>
}

export function accessRequest({
  address,
  country,
  asn,
  method,
  path,
  at,
  fields = {},
}: Asked): AccessRequest {
  return {
    address: address === undefined ? undefined : parseIp(address),
    method: method ?? 'GET',
    path: path ?? '/a.m3u8',
    nowMs: at === undefined ? 0 : Date.parse(at),
    header: (name) => fields[name],
    place: () => (country === undefined ? undefined : { country, position: undefined }),
    asn: () => asn,
  }
}

/** `reason status list rule` of the refusal, `pass`, or `no rules`; explaining must come to the same. */
export function verdictOf(settings: AccessRuleSettings, asked: Asked): string {
  const rules = compileAccessRules(settings)
  if (rules === null) return 'no rules'
  const request = accessRequest(asked)
  const denial = judgeRules(rules, request)
  const explained = explainRules(rules, request).denial
  if (explained !== denial) throw new Error(`explained ${explained?.reason}, judged ${denial?.reason}`)
  if (denial === null) return 'pass'
  const { reason, status, list, rule } = denial
  return [reason, status, list, rule ?? ''].join(' ').trimEnd()
}
