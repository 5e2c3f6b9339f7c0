// `access.rules`: judged in their order, the first whose conditions all hold decides. Where there are rules and none
// holds, the request is refused.
import type { AccessRequest, AccessStep, StepReport } from './access-request.ts'
import { compileConditions } from './conditions.ts'
import type { Condition } from './conditions.ts'
import { denialOf } from './denial.ts'
import type { Denial } from './denial.ts'
import type { OrderedRuleSettings } from './rule-settings.ts'

interface OrderedRule {
  readonly list: string
  readonly name: string | null
  readonly conditions: readonly Condition[]
  /** null: the rule allows. */
  readonly denial: Denial | null
}

export function compileOrderedRules(settings: readonly OrderedRuleSettings[], key: string): AccessStep {
  const rules = settings.map((rule, i) => compileRule(rule, `${key}[${i}]`))
  const noneMatched = denialOf('no_rule_matched', key, undefined)
  return {
    judge(request) {
      for (const rule of rules) if (isMet(rule, request)) return rule.denial
      return noneMatched
    },
    explain: (request) => explain(rules, noneMatched, request),
  }
}

function compileRule(settings: OrderedRuleSettings, list: string): OrderedRule {
  const { allow, deny, status, name = null } = settings
  if ((allow === undefined) === (deny === undefined))
    throw new Error(`${list} must hold allow or deny, one of them`)
  const side = allow === undefined ? 'deny' : 'allow'
  return {
    list,
    name,
    conditions: compileConditions(allow ?? deny ?? {}, `${list}.${side}`, side),
    denial: side === 'allow' ? null : denialOf('rule_denied', list, status, name),
  }
}

function isMet(rule: OrderedRule, request: AccessRequest): boolean {
  for (const condition of rule.conditions) if (!condition.holds(request)) return false
  return true
}

function explain(
  rules: readonly OrderedRule[],
  noneMatched: Denial,
  request: AccessRequest | null,
): StepReport[] {
  const reports: StepReport[] = []
  let decided = request === null
  for (const rule of rules) {
    const report = decided || request === null ? notAsked(rule) : reportOf(rule, request)
    reports.push(report)
    decided ||= report.verdict !== 'no match'
  }
  if (decided) return reports
  const compared = rules.length === 0 ? 'there are no rules' : 'no rule matches'
  return [...reports, { list: noneMatched.list, rule: null, verdict: 'deny', compared, denial: noneMatched }]
}

function notAsked({ list, name }: OrderedRule): StepReport {
  return { list, rule: name, verdict: 'not asked', compared: '', denial: null }
}

function reportOf(rule: OrderedRule, request: AccessRequest): StepReport {
  const { list, name, conditions, denial } = rule
  const failed = conditions.find((condition) => !condition.holds(request))
  if (failed !== undefined) {
    const compared = `${failed.name}: ${failed.describe(request)}`
    return { list, rule: name, verdict: 'no match', compared, denial: null }
  }
  const compared = conditions.map((condition) => `${condition.name}: ${condition.describe(request)}`)
  return {
    list,
    rule: name,
    verdict: denial === null ? 'allow' : 'deny',
    compared: compared.length === 0 ? 'any request' : compared.join('; '),
    denial,
  }
}
