// The access lists and rules of a property, as its configuration gives them once it has been checked: what the
// schema yields fits in here. A list that is left out is not judged; an `allow` that is there but empty admits nobody.

export type Answer = 'allow' | 'deny'

export interface ListSettings<E> {
  readonly allow?: readonly E[] | undefined
  readonly deny?: readonly E[] | undefined
  /** Of its refusals, 400 to 499; 403 when left out. */
  readonly status?: number | undefined
}

/** Left out: `deny` where there is an `allow`, else `allow`. */
export interface UnknownSettings {
  readonly unknown?: Answer | undefined
}

/** Left out: as with `unknown`. */
export interface EmptySettings {
  readonly empty?: Answer | undefined
}

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

export type Day = (typeof DAYS)[number]

export interface HoursSettings {
  /** RFC 3339 with an offset: from this instant on, and until before that one. */
  readonly from?: string | undefined
  readonly until?: string | undefined
  /** `08:00-23:00`; one that ends before it begins goes over midnight and belongs to the day it begins on. */
  readonly daily?: readonly string[] | undefined
  readonly days?: readonly Day[] | undefined
  /** IANA name or offset, for `daily` and `days`; UTC when left out. */
  readonly zone?: string | undefined
}

/** All that are there must hold; of each list one entry is enough. */
export interface ConditionSettings {
  readonly networks?: readonly string[] | undefined
  readonly countries?: readonly string[] | undefined
  readonly asns?: readonly number[] | undefined
  readonly referers?: readonly string[] | undefined
  readonly origins?: readonly string[] | undefined
  readonly userAgents?: readonly string[] | undefined
  readonly methods?: readonly string[] | undefined
  readonly paths?: readonly string[] | undefined
  readonly hours?: HoursSettings | undefined
}

/** One of `allow` and `deny`. */
export interface OrderedRuleSettings {
  readonly name?: string | undefined
  readonly allow?: ConditionSettings | undefined
  readonly deny?: ConditionSettings | undefined
  readonly status?: number | undefined
}

export interface AccessRuleSettings {
  readonly addresses?: ListSettings<string> | undefined
  readonly countries?: (ListSettings<string> & UnknownSettings) | undefined
  readonly asns?: (ListSettings<number> & UnknownSettings) | undefined
  readonly referer?: (ListSettings<string> & EmptySettings) | undefined
  readonly origin?: (ListSettings<string> & EmptySettings) | undefined
  readonly userAgents?: (ListSettings<string> & EmptySettings) | undefined
  readonly hours?: (HoursSettings & { readonly status?: number | undefined }) | undefined
  readonly rules?: readonly OrderedRuleSettings[] | undefined
}
