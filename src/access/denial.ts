// Why the access rules refuse a request: one word for the log line, the metric's label, the short body, the test
// and `edgeward explain` alike, with the status that the client sees and the key that decided.

export const ACCESS_REASONS = [
  'address_denied',
  'address_not_allowed',
  'country_denied',
  'country_not_allowed',
  'country_unknown',
  'asn_denied',
  'asn_not_allowed',
  'asn_unknown',
  'referer_denied',
  'referer_not_allowed',
  'referer_empty',
  'origin_denied',
  'origin_not_allowed',
  'origin_opaque',
  'origin_empty',
  'user_agent_denied',
  'user_agent_not_allowed',
  'user_agent_empty',
  'outside_hours',
  'rule_denied',
  'no_rule_matched',
] as const

export type AccessReason = (typeof ACCESS_REASONS)[number]

export interface Denial {
  readonly reason: AccessReason
  /** 400 to 499. */
  readonly status: number
  /** Key path, within the property, of what decided: `access.referer`, `access.rules[1]`. */
  readonly list: string
  /** Name of the rule that decided; null: it has none, or it was no rule. */
  readonly rule: string | null
}

const STATUS = 403

/** Made once, when rules are compiled: a refusal under attack allocates nothing. */
export function denialOf(
  reason: AccessReason,
  list: string,
  status: number | undefined,
  rule: string | null = null,
): Denial {
  return Object.freeze({ reason, status: status ?? STATUS, list, rule })
}
