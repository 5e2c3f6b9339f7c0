// Who may fill whom, as configured: the parents of each site, and properties that are filled alike as one group. Made
// once a configuration.
import { parentIdsOf } from '../../src/config/parents.ts'
import type { SchedulerSettings } from '../../src/config/scheduler-schema.ts'
import { nearness } from '../locate/sphere.ts'
import type { Direction } from '../locate/sphere.ts'
import type { SiteView, Topology } from '../topology.ts'

/** Properties whose tiers are the same wherever they are asked for. */
export interface FillGroup {
  readonly properties: readonly string[]
  /** The sites that may serve them; null for all. */
  readonly siteIds: ReadonlySet<string> | null
  /** What their edges must have. */
  readonly capabilities: readonly string[]
  readonly peers: boolean
  /** The only site whose edges ask the origins; null: all do. */
  readonly shield: SiteView | null
}

export interface FillPlan {
  readonly sites: readonly SiteView[]
  /** By `SiteView.index`, in order of preference. */
  readonly parents: readonly (readonly SiteView[])[]
  readonly groups: readonly FillGroup[]
  /** By `SiteView.index`: the sites whose tiers may hold its edges, itself among them. */
  readonly askers: readonly ReadonlySet<SiteView>[]
}

export function fillPlanOf(settings: SchedulerSettings, { sites }: Topology): FillPlan {
  const byId = new Map(sites.map((site) => [site.id, site]))
  const parents = settings.sites.map((site, i) => {
    const found = parentIdsOf(site, settings.sites).flatMap((id) => byId.get(id) ?? [])
    return site.parents === 'nearest' ? nearestFirst(found, sites[i]?.direction) : found
  })
  const groups = groupsOf(settings, byId)
  const askers = sites.map((site) => new Set([site]))
  for (const [i, site] of sites.entries()) {
    for (const parent of parents[i] ?? []) askers[parent.index]?.add(site)
  }
  for (const { shield } of groups) {
    if (shield !== null) askers[shield.index] = new Set(sites)
  }
  return { sites, parents, groups, askers }
}

/** Of those equally near the first of the file, so that every scheduler says the same. */
function nearestFirst(sites: readonly SiteView[], from: Direction | undefined): readonly SiteView[] {
  return sites.toSorted(
    (a, b) => nearness(from, b.direction) - nearness(from, a.direction) || a.index - b.index,
  )
}

function groupsOf({ properties }: SchedulerSettings, sites: ReadonlyMap<string, SiteView>): FillGroup[] {
  const alike = Map.groupBy(properties, (property) =>
    JSON.stringify([
      property.sites.toSorted(),
      property.capabilities.toSorted(),
      property.peers,
      property.shield ?? null,
    ]),
  )
  return [...alike.values()].flatMap((members) =>
    members.slice(0, 1).map(({ sites: siteIds, capabilities, peers, shield }) => ({
      properties: members.map(({ id }) => id),
      siteIds: siteIds.length === 0 ? null : new Set(siteIds),
      capabilities,
      peers,
      shield: sites.get(shield ?? '') ?? null,
    })),
  )
}
