// The guidance that holds now, ready to be asked on each miss: which edges may be asked for a property, with what, and
// how its origins stand. Replaced whole.
import { hash64 } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import type { Guidance, OriginGuidance, PeerSecret, PeerTier } from '../../src/wire/guidance.ts'
import { upstreamBase } from './upstream-base.ts'
import type { UpstreamBase } from './upstream-base.ts'

export interface GuidedEdge extends UpstreamBase {
  readonly id: string
  readonly hash: Hash64
  readonly weight: number
}

export interface GuidedTier {
  readonly kind: PeerTier
  /** Among them perhaps the edge that reads it. */
  readonly edges: readonly GuidedEdge[]
}

export interface Guided {
  /** null: not known; an edge on its own. */
  readonly site: string | null
  readonly secrets: readonly PeerSecret[]
  readonly edges: ReadonlyMap<string, GuidedEdge>
  /** Property → its tiers, nearest first; left out: its origins alone. */
  readonly tiers: ReadonlyMap<string, readonly GuidedTier[]>
  /** Left out: up. */
  readonly origins: ReadonlyMap<string, OriginGuidance>
}

export const UNGUIDED: Guided = {
  site: null,
  secrets: [],
  edges: new Map(),
  tiers: new Map(),
  origins: new Map(),
}

export function compileGuidance(guidance: Guidance): Guided {
  const edges = new Map(
    Object.entries(guidance.edges).map(([id, { url, weight }]): [string, GuidedEdge] => [
      id,
      { id, hash: hash64(id), weight, ...upstreamBase(url) },
    ]),
  )
  const tiers = new Map<string, readonly GuidedTier[]>()
  for (const chain of guidance.chains) {
    const compiled = chain.tiers.map((tier): GuidedTier => ({
      kind: tier.kind,
      edges: tier.edges.flatMap((id) => edges.get(id) ?? []),
    }))
    for (const property of chain.properties) tiers.set(property, compiled)
  }
  return {
    site: guidance.site,
    secrets: guidance.secrets,
    edges,
    tiers,
    origins: new Map(Object.entries(guidance.origins)),
  }
}
