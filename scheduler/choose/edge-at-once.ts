// The edge that nearly all clients get at a site with room, found without ranking any: of those that are not above their
// share the asset's hash prefers one; of those that a hot asset is on, the client's own. It is the edge that the long way
// would choose there, or none; likewise the first few.
import type { EdgeView, SiteView } from '../topology.ts'
import { utilisationOf } from './candidates.ts'
import type { ChoiceQuery } from './candidates.ts'
import { HOT_SEARCH_STEPS_MAX } from '../limits.ts'
import { copiesOf, isOverShare, personalKeyOf } from './edges.ts'
import { scoreOfUnit, unitOfWords } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import { siteTotalsOf } from './site-totals.ts'
import type { SiteTotals } from './site-totals.ts'
import type { Standing } from './standing.ts'

/** At a site that `siteAtOnce` gave. undefined: its edges must be ranked. */
export function edgeAtOnce(site: SiteView, query: ChoiceQuery): EdgeView | undefined {
  const totals = siteTotalsOf(site, query)
  const { fit, load, weight } = totals
  if (!fillClaims(site, totals, query)) return undefined
  const first = fit[bestOf(fit)]
  if (first === undefined) return undefined
  // What was sent there since only adds to the load: below its share of less it is below its share.
  if (!isOverShare(first, utilisationOf(first, query), load, weight)) return first.edge
  passOverLoaded(fit, query)
  return fit[bestOf(fit)]?.edge
}

/**
 * The first edges of that order, until `isEnough` of them; all where it never is. undefined: so many have no
 * room, or a hot asset is on fewer, and they must be ranked.
 */
export function edgesAtOnce(
  site: SiteView,
  query: ChoiceQuery,
  isEnough: (edges: readonly EdgeView[]) => boolean,
): readonly EdgeView[] | undefined {
  const totals = siteTotalsOf(site, query)
  const { fit, load, weight } = totals
  if (!fillClaims(site, totals, query)) return undefined
  const edges: EdgeView[] = []
  let isLoadKnown = false
  while (edges.length < fit.length && !isEnough(edges)) {
    const place = bestOf(fit)
    const next = fit[place]
    if (next === undefined) return undefined
    if (!isLoadKnown && isOverShare(next, utilisationOf(next, query), load, weight)) {
      passOverLoaded(fit, query)
      isLoadKnown = true
    } else {
      scores[place] = TAKEN
      edges.push(next.edge)
    }
  }
  return edges
}

/** Of the edges of one site while it is looked at: as many as the largest has. */
let scores = new Float64Array(16)
let utilisations = new Float64Array(16)
let holders = new Uint8Array(16)

/** Less than any score: it is not for this client, or was. */
const NO_ROOM = -1
const TAKEN = NO_ROOM

/** What each edge may claim of this client: NO_ROOM where nothing. false: to rank them is less work. */
function fillClaims(site: SiteView, totals: SiteTotals, query: ChoiceQuery): boolean {
  const { fit, meanCapacity, isOverloaded } = totals
  const { key, demand, nowMs } = query
  if (scores.length < fit.length) {
    scores = new Float64Array(2 * fit.length)
    utilisations = new Float64Array(2 * fit.length)
    holders = new Uint8Array(2 * fit.length)
  }
  fillScores(totals, key)
  const rate = demand.assetRate(key, site, nowMs)
  const bitRate = demand.assetBitRate(key, site, nowMs)
  const copies = copiesOf({ rate, bitRate }, meanCapacity, fit.length)
  if (copies > 1) {
    if (copies < fit.length && copies * fit.length > HOT_SEARCH_STEPS_MAX) return false
    claimForClient(totals, copies, query)
  }
  if (!isOverloaded) return true
  for (let i = 0; i < fit.length; i++) if (fit[i]?.overloaded === true) scores[i] = NO_ROOM
  return true
}

function fillScores({ fit, hashes, isEven }: SiteTotals, { hi, lo }: Hash64): void {
  for (let i = 0; i < fit.length; i++) {
    const unit = unitOfWords(hi, lo, hashes[2 * i] ?? 0, hashes[2 * i + 1] ?? 0)
    scores[i] = isEven ? unit : scoreOfUnit(unit, fit[i]?.weight ?? 0)
  }
}

/** Among the `copies` edges of the best scores each client has its own order; the others stand behind, unasked. */
function claimForClient(totals: SiteTotals, copies: number, { key, client }: ChoiceQuery): void {
  const { fit } = totals
  const isOnAll = copies === fit.length
  if (!isOnAll) markHolders(fit, copies)
  fillScores(totals, personalKeyOf(key, client))
  if (isOnAll) return
  for (let i = 0; i < fit.length; i++) if (holders[i] === 0) scores[i] = NO_ROOM
}

function markHolders(fit: readonly Standing[], copies: number): void {
  holders.fill(0, 0, fit.length)
  for (let taken = 0; taken < copies; taken++) {
    const place = bestOf(fit)
    holders[place] = 1
    scores[place] = TAKEN
  }
}

/** Those above their share of the load as it is now. */
function passOverLoaded(fit: readonly Standing[], query: ChoiceQuery): void {
  let load = 0
  let weight = 0
  for (let i = 0; i < fit.length; i++) {
    const standing = fit[i]
    if (standing === undefined) continue
    const utilisation = utilisationOf(standing, query)
    utilisations[i] = utilisation
    load += utilisation * standing.edge.bandwidth
    weight += standing.weight * standing.ramp
  }
  for (let i = 0; i < fit.length; i++) {
    const standing = fit[i]
    if (standing === undefined) continue
    if (isOverShare(standing, utilisations[i] ?? 0, load, weight)) scores[i] = NO_ROOM
  }
}

/** The place of the best claim; -1: there is none. */
function bestOf(fit: readonly Standing[]): number {
  let best: Standing | undefined
  let bestPlace = -1
  let bestScore = NO_ROOM
  for (let i = 0; i < fit.length; i++) {
    const standing = fit[i]
    const score = scores[i] ?? NO_ROOM
    if (standing === undefined || score < bestScore || score === NO_ROOM) continue
    if (best !== undefined && score === bestScore && best.edge.id < standing.edge.id) continue
    best = standing
    bestPlace = i
    bestScore = score
  }
  return bestPlace
}
