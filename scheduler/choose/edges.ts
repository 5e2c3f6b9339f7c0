// Which edge of the chosen site serves an asset. Rendezvous hashing keeps the asset on one edge; a hot asset has more,
// and each of its clients keeps to one of them; an edge above its fair share of the site's load is passed over while
// another has room (consistent hashing with bounded loads: Mirrokni, Thorup and Zadimoghaddam, 2016).
import { BOUNDED_FROM, FAIR_SHARE_MAX, HOT_ASSET_RATE, HOT_ASSET_SHARE } from '../limits.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { sessionShareOf } from './candidates.ts'
import type { Candidate } from './candidates.ts'
import { compareClaims, hash64OfWords, scoreOf } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'

/** Of an asset at a site. */
export interface AssetDemand {
  /** Decisions a second of this scheduler. */
  readonly rate: number
  /** Bits a second that the site's edges report. */
  readonly bitRate: number
}

/** Of a client that asks for none. */
export const NO_ASSET: AssetDemand = { rate: 0, bitRate: 0 }

/** Scores the candidates for the asset and gives them in the order of preference, whatever their load. */
export function preferEdges(
  candidates: readonly Candidate[],
  key: Hash64,
  client: IpAddress | undefined,
  demand: AssetDemand,
): readonly Candidate[] {
  for (const candidate of candidates) candidate.score = scoreOf(key, candidate.edge.hash, candidate.weight)
  const preferred = candidates.toSorted(compareClaims)
  const capacity = candidates.reduce((sum, candidate) => sum + candidate.capacity, 0)
  const copies = copiesOf(demand, capacity / candidates.length, candidates.length)
  return copies > 1 ? spreadClients(preferred, copies, key, client) : preferred
}

/** How many edges an asset is on: never fewer for a higher rate, and more only join those that it has. */
export function copiesFor(assetRate: number, edges: number): number {
  return Math.max(1, Math.min(edges, Math.ceil(assetRate / HOT_ASSET_RATE)))
}

/** The same by what is sent of it, against the bits a second that an edge can send, in the mean. */
export function copiesForBits(bitRate: number, meanCapacity: number, edges: number): number {
  return Math.max(1, Math.min(edges, 1 + Math.floor(bitRate / (HOT_ASSET_SHARE * meanCapacity))))
}

/** By both: new clients tell first that an asset is hot; what is sent of it tells how long it stays so. */
export function copiesOf({ rate, bitRate }: AssetDemand, meanCapacity: number, edges: number): number {
  const byRate = copiesFor(rate, edges)
  return bitRate === 0 ? byRate : Math.max(byRate, copiesForBits(bitRate, meanCapacity, edges))
}

function spreadClients(
  preferred: readonly Candidate[],
  copies: number,
  key: Hash64,
  client: IpAddress | undefined,
): Candidate[] {
  const personal = personalKeyOf(key, client)
  const holders = preferred.slice(0, copies)
  for (const holder of holders) {
    holder.score = scoreOf(personal, holder.edge.hash, holder.weight)
    holder.reason = 'hot-asset'
  }
  return [...holders.toSorted(compareClaims), ...preferred.slice(copies)]
}

/** Of an asset and a client: among the edges that a hot asset is on, each client keeps to one. */
export function personalKeyOf(key: Hash64, client: IpAddress | undefined): Hash64 {
  const who = client === undefined ? key : hash64OfWords(client.a, client.b, client.c, client.d)
  return { hi: key.hi ^ who.hi, lo: key.lo ^ who.lo }
}

/** The same edges, those that one session more would put above their fair share behind all others. */
export function boundLoads(preferred: readonly Candidate[]): readonly Candidate[] {
  let load = 0
  let weight = 0
  // In the order in which edge-at-once.ts adds them up: a sum in another differs in its last digit, and with it what
  // becomes of an edge that has just its share.
  for (const candidate of preferred.toSorted((x, y) => x.edge.index - y.edge.index)) {
    load += candidate.utilisation * candidate.edge.bandwidth
    weight += candidate.weight * candidate.ramp
  }
  let over = 0
  for (const candidate of preferred) {
    const isOverloaded = candidate.overloaded
    if (!isOverloaded && !isOverShare(candidate, candidate.utilisation, load, weight)) continue
    candidate.reason = isOverloaded ? 'overloaded' : 'over-share'
    over += 1
  }
  if (over === 0) return preferred
  // Where all are above theirs, by a few sessions at most, the least loaded comes first.
  if (over === preferred.length) return preferred.toSorted((x, y) => relativeLoad(x) - relativeLoad(y))
  return preferred.toSorted((x, y) => PLACE[x.reason] - PLACE[y.reason])
}

/** What no edge may be passed over for comes first; the order within each stays. */
const PLACE: Readonly<Record<Candidate['reason'], number>> = {
  hash: 0,
  'hot-asset': 0,
  'over-share': 1,
  overloaded: 2,
}

/** What an edge may claim of the load of its site. */
type Share = Pick<Candidate, 'edge' | 'weight' | 'ramp'>

/** With one session more; load and weight of the whole site. One that is hardly loaded may be, whatever its share. */
function isOverShare(
  { edge, weight, ramp }: Share,
  utilisation: number,
  load: number,
  siteWeight: number,
): boolean {
  return isBeyondShare(utilisation, sessionShareOf(edge), edge.bandwidth, weight, ramp, load, siteWeight)
}

/** The same of an edge's figures; `more`: what one session adds to its utilisation. */
export function isBeyondShare(
  utilisation: number,
  more: number,
  bandwidth: number,
  weight: number,
  ramp: number,
  siteLoad: number,
  siteWeight: number,
): boolean {
  if (utilisation + more <= BOUNDED_FROM * ramp) return false
  const fair = ((siteLoad + more * bandwidth) * weight * ramp) / siteWeight
  return (utilisation + more) * bandwidth > FAIR_SHARE_MAX * fair
}

function relativeLoad({ utilisation, edge, weight, ramp }: Candidate): number {
  return (utilisation * edge.bandwidth) / (weight * ramp)
}
