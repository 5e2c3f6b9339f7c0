// The part of guidance that is of one site: its tiers, as text that is ready to be sent.
import { createHash } from 'node:crypto'
import type { Guidance } from '../../src/wire/guidance.ts'
import type { SiteView } from '../topology.ts'
import { NO_FILLER } from './filler.ts'
import type { Filler } from './filler.ts'
import type { FillPlan } from './fill-plan.ts'
import { tiersAt } from './tiers.ts'

/** `edges` and `chains` of guidance. Properties that pull from their origins alone are left out. */
export function chainsAt(
  site: SiteView,
  { groups, parents }: FillPlan,
  fillers: readonly Filler[],
): Pick<Guidance, 'edges' | 'chains'> {
  const edges: Guidance['edges'] = {}
  const alike = new Map<string, Guidance['chains'][number]>()
  for (const group of groups) {
    const found = tiersAt(site, group, parents[site.index] ?? [], fillers)
    if (found.length === 0) continue
    for (const { id, url, index } of found.flatMap(({ views }) => views)) {
      edges[id] = { url, weight: (fillers[index] ?? NO_FILLER).weight }
    }
    const tiers = found.map(({ kind, edges: ids }) => ({ kind, edges: ids }))
    const key = JSON.stringify(tiers)
    const chain = alike.get(key) ?? { properties: [], tiers }
    chain.properties.push(...group.properties)
    alike.set(key, chain)
  }
  return { edges, chains: [...alike.values()] }
}

/** Of equal content the same. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}
