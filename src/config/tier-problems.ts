// What is wrong with how sites fill each other, of settings that are well formed one by one.
import type { ConfigProblem } from './config-error.ts'
import { located } from './finding.ts'
import type { Finding } from './finding.ts'
import { parentIdsOf } from './parents.ts'
import type { SchedulerSettings, SiteSettings } from './scheduler-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

export function tierProblems(settings: SchedulerSettings, document: ConfigDocument): ConfigProblem[] {
  const found = [...parentCircles(settings), ...nearestProblems(settings), ...emptyShields(settings)]
  return located(found, document)
}

/** Edges that fill each other would wait for each other. */
function parentCircles({ sites }: SchedulerSettings): Finding[] {
  const parentsOf = new Map(sites.map((site) => [site.id, parentIdsOf(site, sites)]))
  return sites.flatMap(({ id, parents }, i) =>
    parents === 'nearest'
      ? []
      : parents.flatMap((parent, j): Finding[] => {
          const way = wayTo(id, parent, parentsOf, new Set())
          if (way === null) return []
          const message =
            way.length === 1 ? 'is the site itself' : `is filled by it in turn: ${[id, ...way].join(' → ')}`
          return [{ at: ['sites', i, 'parents', j], message }]
        }),
  )
}

/** The sites from one to another, by way of parents; null when there is none. `seen` ends circles of others. */
function wayTo(
  wanted: string,
  from: string,
  parentsOf: ReadonlyMap<string, readonly string[]>,
  seen: Set<string>,
): string[] | null {
  if (from === wanted) return [from]
  if (seen.has(from)) return null
  seen.add(from)
  for (const parent of parentsOf.get(from) ?? []) {
    const way = wayTo(wanted, parent, parentsOf, seen)
    if (way !== null) return [from, ...way]
  }
  return null
}

/** A choice by distance needs somebody to choose, and somewhere to be. */
function nearestProblems({ sites }: SchedulerSettings): Finding[] {
  const anyFills = sites.some(({ fills }) => fills)
  return sites.flatMap((site, i): Finding[] => {
    const found: Finding[] = []
    if (site.fills && site.location === undefined)
      found.push({ at: ['sites', i, 'fills'], message: 'needs `location`: others choose it by distance' })
    const problem = site.parents === 'nearest' ? nearestProblem(site, anyFills) : null
    if (problem !== null) found.push({ at: ['sites', i, 'parents'], message: problem })
    return found
  })
}

function nearestProblem({ fills, location }: SiteSettings, anyFills: boolean): string | null {
  if (fills) return 'is not for a site that `fills` others: they could fill it in turn; name its parents'
  if (!anyFills) return 'names nobody: no site has `fills: true`'
  return location === undefined ? 'needs `location`: who is nearest goes by it' : null
}

/** A shield without edges would protect nothing. */
function emptyShields({ properties, edges }: SchedulerSettings): Finding[] {
  const manned = new Set(edges.filter(({ pinned }) => pinned.length === 0).map(({ site }) => site))
  return properties.flatMap(({ shield }, i): Finding[] =>
    shield === undefined || manned.has(shield)
      ? []
      : [{ at: ['properties', i, 'shield'], message: 'names a site without an edge that serves anybody' }],
  )
}
