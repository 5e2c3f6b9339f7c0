// The access rules of a property: compiled once from its settings, then asked for each request. Pure and
// synchronous; both daemons judge by it, and `edgeward explain` tells it. Order: addresses, countries, AS numbers,
// Referer, Origin, User-Agent, hours, then the ordered rules. The first refusal stands.
import type { AccessRequest, AccessStep, StepReport } from './access-request.ts'
import { compileList } from './access-list.ts'
import { addressSubject } from './address-rules.ts'
import { denialOf } from './denial.ts'
import type { Denial } from './denial.ts'
import { asnSubject, countrySubject } from './geo-rules.ts'
import { compileOrderedRules } from './ordered-rules.ts'
import { originSubject, refererSubject } from './page-rules.ts'
import type { AccessRuleSettings } from './rule-settings.ts'
import { compileHours } from './time-window.ts'
import { userAgentSubject } from './user-agent.ts'
import { OPAQUE } from './web-address.ts'

export interface AccessRules {
  readonly steps: readonly AccessStep[]
  /** Whether a database of countries, and one of AS numbers, can be asked for. */
  readonly needsPlaces: boolean
  readonly needsAsns: boolean
}

/** null: there is nothing to judge. Throws an Error that names the key of settings which cannot be used. */
export function compileAccessRules(settings: AccessRuleSettings): AccessRules | null {
  const steps = [
    ...listSteps(settings),
    ...(settings.hours === undefined ? [] : [hoursStep(settings.hours)]),
    ...(settings.rules === undefined ? [] : [compileOrderedRules(settings.rules, 'access.rules')]),
  ].filter((step) => step !== null)
  if (steps.length === 0) return null
  const conditions = (settings.rules ?? []).map((rule) => rule.allow ?? rule.deny)
  return {
    steps,
    needsPlaces: settings.countries !== undefined || conditions.some((one) => one?.countries !== undefined),
    needsAsns: settings.asns !== undefined || conditions.some((one) => one?.asns !== undefined),
  }
}

/** null: it may pass. */
export function judgeRules(rules: AccessRules, request: AccessRequest): Denial | null {
  for (const step of rules.steps) {
    const denial = step.judge(request)
    if (denial !== null) return denial
  }
  return null
}

export interface RulesExplained {
  readonly steps: readonly StepReport[]
  /** As judgeRules gives it. */
  readonly denial: Denial | null
}

export function explainRules(rules: AccessRules, request: AccessRequest): RulesExplained {
  const reports: StepReport[] = []
  let denial: Denial | null = null
  for (const step of rules.steps) {
    const told = step.explain(denial === null ? request : null)
    reports.push(...told)
    denial ??= told.find((report) => report.denial !== null)?.denial ?? null
  }
  return { steps: reports, denial }
}

function listSteps(settings: AccessRuleSettings): (AccessStep | null)[] {
  const { addresses, countries, asns, referer, origin, userAgents } = settings
  return [
    addresses === undefined
      ? null
      : compileList('access.addresses', addressSubject, ADDRESS_REASONS, addresses, undefined),
    countries === undefined
      ? null
      : compileList('access.countries', countrySubject, COUNTRY_REASONS, countries, countries.unknown),
    asns === undefined ? null : compileList('access.asns', asnSubject, ASN_REASONS, asns, asns.unknown),
    referer === undefined
      ? null
      : compileList('access.referer', refererSubject, REFERER_REASONS, referer, referer.empty),
    origin === undefined
      ? null
      : compileList('access.origin', originSubject, ORIGIN_REASONS, origin, origin.empty),
    userAgents === undefined
      ? null
      : compileList('access.userAgents', userAgentSubject, AGENT_REASONS, userAgents, userAgents.empty),
  ]
}

const ADDRESS_REASONS = {
  denied: 'address_denied',
  notAllowed: 'address_not_allowed',
  // Only a connection that is gone already has no address.
  absent: 'address_not_allowed',
} as const
const COUNTRY_REASONS = {
  denied: 'country_denied',
  notAllowed: 'country_not_allowed',
  absent: 'country_unknown',
} as const
const ASN_REASONS = { denied: 'asn_denied', notAllowed: 'asn_not_allowed', absent: 'asn_unknown' } as const
const REFERER_REASONS = {
  denied: 'referer_denied',
  notAllowed: 'referer_not_allowed',
  absent: 'referer_empty',
} as const
const ORIGIN_REASONS = {
  denied: 'origin_denied',
  notAllowed: 'origin_not_allowed',
  absent: 'origin_empty',
  // A word of its own, since a player that was redirected here sends it for any page.
  special: { reason: 'origin_opaque', is: (page: unknown) => page === OPAQUE },
} as const
const AGENT_REASONS = {
  denied: 'user_agent_denied',
  notAllowed: 'user_agent_not_allowed',
  absent: 'user_agent_empty',
} as const

function hoursStep(settings: NonNullable<AccessRuleSettings['hours']>): AccessStep | null {
  const { from, until, daily, days, status } = settings
  if (from === undefined && until === undefined && daily === undefined && days === undefined) return null
  const list = 'access.hours'
  const window = compileHours(settings, list)
  const denial = denialOf('outside_hours', list, status)
  return {
    judge: (request) => (window.includes(request.nowMs) ? null : denial),
    explain(request) {
      if (request === null) return [{ list, rule: null, verdict: 'not asked', compared: '', denial: null }]
      const isInside = window.includes(request.nowMs)
      return [
        {
          list,
          rule: null,
          verdict: isInside ? 'allow' : 'deny',
          compared: window.describe(request.nowMs),
          denial: isInside ? null : denial,
        },
      ]
    },
  }
}
