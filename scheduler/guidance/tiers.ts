// The tiers of edges that an edge of a site asks before the origins: its peers, the edges of a parent site, those of the
// shield. Pure. Never a circle: parents have none in the configuration, and a shield asks nobody but origins.
import type { GuidanceTier, PeerTier } from '../../src/wire/guidance.ts'
import { rankByRendezvous } from '../../src/rendezvous.ts'
import type { EdgeView, SiteView } from '../topology.ts'
import { NO_FILLER } from './filler.ts'
import type { Filler } from './filler.ts'
import type { FillGroup } from './fill-plan.ts'
import { TIER_EDGES_MAX } from './limits.ts'

export interface Tier extends GuidanceTier {
  readonly kind: PeerTier
  readonly views: readonly EdgeView[]
}

/** `parents` of the site, in order; `fillers` by `EdgeView.index`. */
export function tiersAt(
  site: SiteView,
  group: FillGroup,
  parents: readonly SiteView[],
  fillers: readonly Filler[],
): readonly Tier[] {
  const tiers: Tier[] = []
  if (group.peers && !isAlone(site, fillers)) {
    const peers = mayServe(site, group) ? bestAt(site, group, fillers) : NOBODY
    if (peers.edges.length > 0) tiers.push(tierOf('peers', peers.edges))
  }
  // Whom all others come to asks the origins.
  if (site === group.shield) return tiers
  const parent = parentOf(group, parents, fillers)
  if (parent !== null) tiers.push(tierOf('parents', parent.edges))
  if (group.shield === null || group.shield === parent?.site) return tiers
  // The property names it, so it need not be among the sites that serve clients.
  const shield = bestAt(group.shield, group, fillers)
  if (shield.edges.length > 0) tiers.push(tierOf('shield', shield.edges))
  return tiers
}

interface Best {
  readonly edges: readonly EdgeView[]
  readonly isSuspect: boolean
}

const NOBODY: Best = { edges: [], isSuspect: false }

/** Suspects only where there is nobody else. The same whoever asks, so that all agree on the owner. */
function bestAt(site: SiteView, { capabilities }: FillGroup, fillers: readonly Filler[]): Best {
  const able = site.ordinary.filter((edge) => capabilities.every((label) => edge.capabilities.has(label)))
  for (const fit of ['first', 'last'] as const) {
    const edges = able.filter(({ index }) => fillers[index]?.fit === fit)
    if (edges.length > 0)
      return { edges: atMost(TIER_EDGES_MAX, edges, site, fillers), isSuspect: fit === 'last' }
  }
  return NOBODY
}

/** The first that has an edge that is well; else the first that has any. */
function parentOf(
  group: FillGroup,
  parents: readonly SiteView[],
  fillers: readonly Filler[],
): { site: SiteView; edges: readonly EdgeView[] } | null {
  let suspect: { site: SiteView; edges: readonly EdgeView[] } | null = null
  for (const site of parents) {
    if (!mayServe(site, group)) continue
    const { edges, isSuspect } = bestAt(site, group, fillers)
    if (edges.length === 0) continue
    if (!isSuspect) return { site, edges }
    suspect ??= { site, edges }
  }
  return suspect
}

/** One that comes or goes changes one place of the list: the rest are as before, by their claim on the site. */
function atMost(
  max: number,
  edges: readonly EdgeView[],
  site: SiteView,
  fillers: readonly Filler[],
): readonly EdgeView[] {
  if (edges.length <= max) return edges
  const ranked = rankByRendezvous(site.hash, edges, ({ index }) => (fillers[index] ?? NO_FILLER).weight)
  return ranked.slice(0, max).toSorted((a, b) => a.index - b.index)
}

function mayServe({ id }: SiteView, { siteIds }: FillGroup): boolean {
  return siteIds === null || siteIds.has(id)
}

function isAlone({ edges }: SiteView, fillers: readonly Filler[]): boolean {
  return edges.filter(({ index }) => fillers[index]?.isAlive === true).length < 2
}

function tierOf(kind: PeerTier, views: readonly EdgeView[]): Tier {
  return { kind, edges: views.map(({ id }) => id), views }
}
