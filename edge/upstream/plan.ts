// Whom a request that misses may ask, in order: edges by tier, then origins. Pure; asked once a miss. Who of them is asked
// depends on what comes of those before (chain.ts), and on their circuits.
import type { Random } from '../../src/clock.ts'
import { hash64, hash64OfJoined, rankByRendezvous, scoreOf } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import type { PeerTier } from '../../src/wire/guidance.ts'
import { TIER_EDGES_MAX } from '../limits.ts'
import type { Guided, GuidedEdge, GuidedTier } from './guided.ts'
import type { UpstreamOrigin } from './origin.ts'
import type { PropertyChain } from './property-chain.ts'

export type Upstream =
  | { readonly tier: PeerTier; readonly edge: GuidedEdge }
  | { readonly tier: 'origins'; readonly origin: UpstreamOrigin }

export interface PlanRequest {
  /** Property, path and query. */
  readonly primaryKey: string
  /** Path and query. */
  readonly path: string
  /** As what another edge asks; null: for a client. */
  readonly askedAs: PeerTier | null
  /** What no cache answers is asked of the origins. */
  readonly originsAlone: boolean
}

/** Asked as one of these, an edge asks only what is further up itself; parents may have parents, in no circle. */
const FURTHER_UP: Readonly<Record<PeerTier, ReadonlySet<PeerTier>>> = {
  peers: new Set(['parents', 'shield']),
  parents: new Set(['parents', 'shield']),
  shield: new Set(),
}

export function planUpstreams(
  chain: PropertyChain,
  guided: Guided,
  edgeId: string,
  request: PlanRequest,
  random: Random,
): Upstream[] {
  const upstreams: Upstream[] = []
  const tiers = request.originsAlone ? undefined : guided.tiers.get(chain.property)
  if (tiers !== undefined) {
    const { askedAs, path } = request
    const asset = assetHash(chain.property, path)
    for (const tier of tiers) {
      if (askedAs !== null && !FURTHER_UP[askedAs].has(tier.kind)) continue
      for (const edge of edgesOf(tier, asset, edgeId)) upstreams.push({ tier: tier.kind, edge })
    }
  }
  for (const origin of originsInOrder(chain, guided, request.primaryKey, random))
    upstreams.push({ tier: 'origins', origin })
  return upstreams
}

/**
 * Those to ask, best first: the edge that an asset belongs to, by the hash that steering uses, so that it is mostly the one
 * that its clients are sent to, and one edge of a site asks on for whoever asks there; then the one that it would belong to
 * without that. An edge that comes to itself is it.
 */
function edgesOf({ edges }: GuidedTier, asset: Hash64, edgeId: string): readonly GuidedEdge[] {
  const best = rankByRendezvous(asset, edges, ({ weight }) => weight).slice(0, TIER_EDGES_MAX)
  const own = best.findIndex(({ id }) => id === edgeId)
  return own < 0 ? best : best.slice(0, own)
}

/** Property and directory, as steering joins them. */
function assetHash(property: string, path: string): Hash64 {
  const question = path.indexOf('?')
  const end = path.lastIndexOf('/', question < 0 ? path.length : question) + 1
  return hash64OfJoined(property, path, end)
}

/** Who is asked before whom, whatever the choice among them. */
const RANK = { ownSite: 0, anySite: 1, returning: 2, weightless: 3, backup: 4, down: 5 }

/** null: not at all. */
function rankOf(
  { id, sites, weight, backup }: UpstreamOrigin,
  { site, origins: guidance }: Guided,
  random: Random,
): number | null {
  if (site !== null && sites.length > 0 && !sites.includes(site)) return null
  const said = guidance.get(id)
  if (said?.state === 'down') {
    // Where no probe does, requests find out that it is back: its circuit lets them through one by one.
    return said.probed ? null : RANK.down
  }
  if (backup) return RANK.backup
  if (said !== undefined && random() >= said.share) return RANK.returning
  if (weight === 0) return RANK.weightless
  return site !== null && sites.includes(site) ? RANK.ownSite : RANK.anySite
}

function originsInOrder(
  { origins, choice }: PropertyChain,
  guided: Guided,
  primaryKey: string,
  random: Random,
): readonly UpstreamOrigin[] {
  const object = choice === 'hash' ? hash64(primaryKey) : null
  const scoreOfOrigin = ({ hash, weight }: UpstreamOrigin) => {
    if (object !== null) return scoreOf(object, hash, weight)
    // Each is first with the probability of its share (Efraimidis and Spirakis, 2006).
    return choice === 'weight' && weight > 0 ? random() ** (1 / weight) : 0
  }
  return origins
    .flatMap((origin) => {
      const rank = rankOf(origin, guided, random)
      return rank === null ? [] : [{ origin, rank, score: scoreOfOrigin(origin) }]
    })
    .toSorted((x, y) => x.rank - y.rank || y.score - x.score)
    .map(({ origin }) => origin)
}
