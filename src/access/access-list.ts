// One simple list of `access`: a deny match refuses; then, where there is an `allow`, only a match passes. What the
// request does not have is answered explicitly, and what cannot be read is never taken for absent.
import { asEntry } from './access-request.ts'
import type { AccessRequest, AccessStep, StepReport, Subject } from './access-request.ts'
import { denialOf } from './denial.ts'
import type { AccessReason, Denial } from './denial.ts'
import type { Answer, ListSettings } from './rule-settings.ts'

export interface ListReasons<V> {
  readonly denied: AccessReason
  readonly notAllowed: AccessReason
  readonly absent: AccessReason
  /** A word of its own for some values that are not allowed; left out: `notAllowed` for all. */
  readonly special?: { readonly reason: AccessReason; is(value: V): boolean }
}

/** null: the settings ask for nothing. `absent` is the configured answer for a request that has no such value. */
export function compileList<V, E>(
  key: string,
  subject: Subject<V, E>,
  reasons: ListReasons<V>,
  settings: ListSettings<E>,
  absent: Answer | undefined,
): AccessStep | null {
  const { allow: allowed, deny: denied, status } = settings
  const absentPasses = (absent ?? (allowed === undefined ? 'allow' : 'deny')) === 'allow'
  if (allowed === undefined && (denied ?? []).length === 0 && absentPasses) return null
  const allow = allowed && subject.compile(allowed, `${key}.allow`)
  const deny = denied && subject.compile(denied, `${key}.deny`)
  const { special } = reasons
  const isDenied = denialOf(reasons.denied, key, status)
  const notAllowed = denialOf(reasons.notAllowed, key, status)
  const isAbsent = denialOf(reasons.absent, key, status)
  const isSpecial = special && denialOf(special.reason, key, status)

  const judgeValue = (value: V | null | undefined): Denial | null => {
    if (value === undefined) return absentPasses ? null : isAbsent
    if (value === null) return notAllowed
    if (deny?.find(value) !== undefined) return isDenied
    if (allow === undefined || allow.find(value) !== undefined) return null
    return isSpecial !== undefined && special?.is(value) === true ? isSpecial : notAllowed
  }

  const compare = (value: V | null | undefined): string => {
    if (value === undefined) return subject.absent
    if (value === null) return subject.unreadable
    const shown = subject.show(value)
    const match = deny?.find(value)
    if (match !== undefined) return `${shown}, in deny${asEntry(match, shown)}`
    if (allow === undefined) return `${shown}, not in deny`
    const pass = allow.find(value)
    return pass === undefined ? `${shown}, not in allow` : `${shown}, in allow${asEntry(pass, shown)}`
  }

  const explain = (request: AccessRequest | null): StepReport[] => {
    if (request === null) return [{ list: key, rule: null, verdict: 'not asked', compared: '', denial: null }]
    const value = subject.read(request)
    const denial = judgeValue(value)
    const verdict = denial === null ? 'allow' : 'deny'
    return [{ list: key, rule: null, verdict, compared: compare(value), denial }]
  }

  return { judge: (request) => judgeValue(subject.read(request)), explain }
}
