// What a rule asks for: all of its conditions must hold, and of each condition one entry is enough. What a request
// does not have, or what cannot be read, meets no condition.
import { compilePathPattern } from '../path-pattern.ts'
import { asnSubject, countrySubject } from './geo-rules.ts'
import { addressSubject } from './address-rules.ts'
import { asEntry } from './access-request.ts'
import type { AccessRequest, Subject } from './access-request.ts'
import { isVeiled, originReadings } from './origin-reading.ts'
import { originSubject, refererSubject } from './page-rules.ts'
import type { ConditionSettings } from './rule-settings.ts'
import { compileHours } from './time-window.ts'
import { userAgentSubject } from './user-agent.ts'

export interface Condition {
  readonly name: keyof ConditionSettings
  holds(request: AccessRequest): boolean
  describe(request: AccessRequest): string
}

/** Cheap ones first: what reads a database is asked last. `side`: what the rule does where they hold. */
export function compileConditions(
  settings: ConditionSettings,
  key: string,
  side: 'allow' | 'deny',
): Condition[] {
  const { networks, countries, asns, referers, origins, userAgents, methods, paths, hours } = settings
  const conditions: Condition[] = []
  if (methods !== undefined) conditions.push(methodCondition(methods))
  if (paths !== undefined) conditions.push(pathCondition(paths, side))
  const add = <V, E>(
    name: keyof ConditionSettings,
    subject: Subject<V, E>,
    entries: readonly E[] | undefined,
  ) => {
    if (entries !== undefined) conditions.push(subjectCondition(name, subject, entries, `${key}.${name}`))
  }
  add('networks', addressSubject, networks)
  if (hours !== undefined) {
    const window = compileHours(hours, `${key}.hours`)
    conditions.push({
      name: 'hours',
      holds: (request) => window.includes(request.nowMs),
      describe: (request) => window.describe(request.nowMs),
    })
  }
  add('userAgents', userAgentSubject, userAgents)
  add('referers', refererSubject, referers)
  add('origins', originSubject, origins)
  add('countries', countrySubject, countries)
  add('asns', asnSubject, asns)
  return conditions
}

function subjectCondition<V, E>(
  name: keyof ConditionSettings,
  subject: Subject<V, E>,
  entries: readonly E[],
  key: string,
): Condition {
  const matcher = subject.compile(entries, key)
  return {
    name,
    holds(request) {
      const value = subject.read(request)
      return value !== undefined && value !== null && matcher.find(value) !== undefined
    },
    describe(request) {
      const value = subject.read(request)
      if (value === undefined) return subject.absent
      if (value === null) return subject.unreadable
      const match = matcher.find(value)
      const shown = subject.show(value)
      return match === undefined ? `${shown}, not listed` : `${shown}, listed${asEntry(match, shown)}`
    },
  }
}

function methodCondition(methods: readonly string[]): Condition {
  return {
    name: 'methods',
    holds: ({ method }) => methods.includes(method),
    describe: ({ method }) => (methods.includes(method) ? `${method}, listed` : `${method}, not listed`),
  }
}

/** As the edge takes the path, and as its origin may: to be refused either is enough, to be let in both must be listed. */
function pathCondition(entries: readonly string[], side: 'allow' | 'deny'): Condition {
  const patterns = entries.map((text) => ({ text, matches: compilePathPattern(text) }))
  const findAsIs = (path: string) => {
    for (const pattern of patterns) if (pattern.matches(path)) return pattern.text
    return undefined
  }
  const find = (path: string) => {
    const match = findAsIs(path)
    if ((match === undefined) === (side === 'allow')) return match
    if (isVeiled(path)) return side === 'allow' ? undefined : 'one of them, for some origins'
    for (const reading of originReadings(path)) {
      const other = findAsIs(reading)
      if ((other === undefined) === (side === 'allow')) return other
    }
    return match
  }
  return {
    name: 'paths',
    holds: ({ path }) => find(path) !== undefined,
    // The path stands at the head of the page.
    describe: ({ path }) => {
      const match = find(path)
      return match === undefined ? 'not listed' : `listed as ${match}`
    },
  }
}
