// Whom a request that misses may ask, in order: edges by tier, then origins. Pure; asked once a miss. Who of them is asked
// depends on what comes of those before (chain.ts), and on their circuits.
import type { Random } from '../../src/clock.ts'
import { hash64, hash64OfJoined, scoreOf } from '../../src/rendezvous.ts'
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
  for (const tier of tiers ?? []) {
    const { askedAs } = request
    if (askedAs !== null && !FURTHER_UP[askedAs].has(tier.kind)) continue
    for (const edge of edgesOf(tier, chain.property, edgeId, request))
      upstreams.push({ tier: tier.kind, edge })
  }
  for (const origin of originsInOrder(chain, guided, request.primaryKey, random))
    upstreams.push({ tier: 'origins', origin })
  return upstreams
}

/**
 * Those to ask, best first. Among the edges of its own site the one that an asset belongs to, by the hash that steering
 * uses: it is mostly the edge that clients of the asset are sent to. Further away objects are spread one by one.
 */
function edgesOf(
  { kind, edges }: GuidedTier,
  property: string,
  edgeId: string,
  { primaryKey, path }: PlanRequest,
): readonly GuidedEdge[] {
  if (kind === 'peers') {
    const [owner] = ranked(assetHash(property, path), edges)
    return owner === undefined || owner.id === edgeId ? [] : [owner]
  }
  return ranked(hash64(primaryKey), edges)
    .filter(({ id }) => id !== edgeId)
    .slice(0, TIER_EDGES_MAX)
}

/** Property and directory, as steering joins them. */
function assetHash(property: string, path: string): Hash64 {
  const question = path.indexOf('?')
  const end = path.lastIndexOf('/', question < 0 ? path.length : question) + 1
  return hash64OfJoined(property, path, end)
}

function ranked<N extends { readonly id: string; readonly hash: Hash64; readonly weight: number }>(
  key: Hash64,
  nodes: readonly N[],
): readonly N[] {
  if (nodes.length < 2) return nodes
  return nodes
    .map((node) => ({ node, score: scoreOf(key, node.hash, node.weight) }))
    .toSorted((a, b) => b.score - a.score || (a.node.id < b.node.id ? -1 : 1))
    .map(({ node }) => node)
}

/** Those of the own site before others, backups behind all; what guidance says is down is not among them. */
function originsInOrder(
  chain: PropertyChain,
  { site, origins: guidance }: Guided,
  primaryKey: string,
  random: Random,
): readonly UpstreamOrigin[] {
  const [only] = chain.origins
  if (chain.origins.length === 1 && only !== undefined)
    return guidance.get(only.id)?.state === 'down' && guidance.get(only.id)?.probed === true
      ? []
      : chain.origins
  const isOwn = ({ sites }: UpstreamOrigin) => site !== null && sites.includes(site)
  const isAnyones = ({ sites }: UpstreamOrigin) => site === null || sites.length === 0
  const later: UpstreamOrigin[] = []
  const groups = [
    (origin: UpstreamOrigin) => !origin.backup && isOwn(origin),
    (origin: UpstreamOrigin) => !origin.backup && isAnyones(origin),
    (origin: UpstreamOrigin) => origin.backup && isOwn(origin),
    (origin: UpstreamOrigin) => origin.backup && isAnyones(origin),
  ].map((belongs) => {
    const up: UpstreamOrigin[] = []
    for (const origin of chain.origins) {
      if (!belongs(origin)) continue
      const said = guidance.get(origin.id)
      if (said === undefined || (said.state === 'returning' && random() < said.share)) up.push(origin)
      // Nothing else would find out that one is back which no probe asks: its circuit lets one request through in turn.
      else if (said.state === 'returning' || !said.probed) later.push(origin)
    }
    return chosen(up, chain.choice, primaryKey, random)
  })
  return [...groups.flat(), ...later]
}

function chosen(
  origins: readonly UpstreamOrigin[],
  choice: PropertyChain['choice'],
  primaryKey: string,
  random: Random,
): readonly UpstreamOrigin[] {
  if (origins.length < 2 || choice === 'order') return origins
  if (choice === 'hash') return ranked(hash64(primaryKey), origins)
  // Each is first with the probability of its share (Efraimidis and Spirakis, 2006).
  return origins
    .map((origin) => ({ origin, score: origin.weight === 0 ? -1 : random() ** (1 / origin.weight) }))
    .toSorted((a, b) => b.score - a.score)
    .map(({ origin }) => origin)
}
