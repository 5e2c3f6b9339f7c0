// What probes of an origin have shown over each address family, by the counts in a row that the configuration asks
// for. What this machine cannot try says nothing of the origin, nor does a family that its name has no address of.
import type { OriginHealthSettings } from '../../src/config/origin-schema.ts'
import type { Probed } from '../health/probe-failure.ts'
import type { Family, ProbeResult } from '../health/reachability.ts'

export type ProbeFinding = 'up' | 'down' | 'unknown'

export interface FamilyStanding {
  readonly finding: ProbeFinding
  /** Results in a row that speak against `finding`. */
  readonly contrary: number
  /** undefined before the first. */
  readonly last: ProbeResult | undefined
  /** Of the last failure, in words. */
  readonly detail: string
}

export const UNPROBED: FamilyStanding = { finding: 'unknown', contrary: 0, last: undefined, detail: '' }

export type FamilyStandings = ReadonlyMap<Family, FamilyStanding>

export function afterOriginProbe(
  standings: FamilyStandings,
  family: Family,
  { result, detail }: Probed,
  { fall, rise, families }: Pick<OriginHealthSettings, 'fall' | 'rise' | 'families'>,
): FamilyStandings {
  const before = standings.get(family) ?? UNPROBED
  const others = [...standings].filter(([other]) => other !== family)
  const hasNoneOfFamily =
    result === 'name' && families === undefined && others.some(([, { last }]) => last !== 'name')
  if (result === 'local' || hasNoneOfFamily) {
    return new Map([...standings, [family, { ...UNPROBED, last: result, detail }]])
  }
  const wanted = result === 'ok' ? 'up' : 'down'
  const contrary = before.finding === wanted ? 0 : before.contrary + 1
  // Of one of which nothing is known yet, one success is enough.
  const needed = wanted === 'down' ? fall : before.finding === 'unknown' ? 1 : rise
  const next: FamilyStanding =
    contrary < needed && before.finding !== wanted
      ? { finding: before.finding, contrary, last: result, detail }
      : { finding: wanted, contrary: 0, last: result, detail }
  return new Map([...standings, [family, next]])
}

/** An edge connects over whichever family answers. */
export function findingOf(standings: FamilyStandings): ProbeFinding {
  const findings = new Set([...standings.values()].map(({ finding }) => finding))
  if (findings.has('up')) return 'up'
  return findings.has('down') ? 'down' : 'unknown'
}

/** It answered, and said that it does not serve: more than that it could not be reached from here. */
export function isOwnWord(standings: FamilyStandings): boolean {
  return [...standings.values()].some(({ finding, last }) => finding === 'down' && last === 'status')
}
