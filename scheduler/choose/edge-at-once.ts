// The edge that nearly all clients get at a site with room, found without ranking any: of those that are not above their
// share the asset's hash prefers one. It is the edge that the long way would choose there, or none; likewise the first few.
import { HOT_ASSET_RATE, HOT_ASSET_SHARE } from '../limits.ts'
import type { EdgeView, SiteView } from '../topology.ts'
import { utilisationOf } from './candidates.ts'
import type { ChoiceQuery } from './candidates.ts'
import { isOverShare } from './edges.ts'
import { scoreOfUnit, unitOfWords } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import { siteTotalsOf } from './site-totals.ts'
import type { SiteTotals } from './site-totals.ts'
import type { Standing } from './standing.ts'

/** At a site that `siteAtOnce` gave. undefined: its edges must be ranked. */
export function edgeAtOnce(site: SiteView, query: ChoiceQuery): EdgeView | undefined {
  const totals = siteTotalsOf(site, query)
  // On one edge alone: of a hot asset each client has its own.
  if (isHot(site, totals, query)) return undefined
  return preferredEdge(totals, query)
}

/**
 * The first edges of that order, until `isEnough` of them; all where it never is. undefined: some are passed over for
 * their load, and they must be ranked.
 */
export function edgesAtOnce(
  site: SiteView,
  query: ChoiceQuery,
  isEnough: (edges: readonly EdgeView[]) => boolean,
): readonly EdgeView[] | undefined {
  const totals = siteTotalsOf(site, query)
  if (isHot(site, totals, query)) return undefined
  const { fit, load, weight } = totals
  fillScores(totals, query.key)
  const edges: EdgeView[] = []
  while (edges.length < fit.length && !isEnough(edges)) {
    const place = bestOf(fit)
    const next = fit[place]
    // Of those that are left all are overloaded.
    if (next === undefined || isOverShare(next, utilisationOf(next, query), load, weight)) return undefined
    scores[place] = TAKEN
    edges.push(next.edge)
  }
  return edges
}

function isHot(site: SiteView, { leastCapacity }: SiteTotals, { key, demand, nowMs }: ChoiceQuery): boolean {
  if (demand.assetRate(key, site, nowMs) > HOT_ASSET_RATE) return true
  return demand.assetBitRate(key, site, nowMs) >= HOT_ASSET_SHARE * leastCapacity
}

/** The scores and utilisations of the edges of one site while it is looked at: as many as the largest has. */
let scores = new Float64Array(16)
let utilisations = new Float64Array(16)

function preferredEdge(totals: SiteTotals, query: ChoiceQuery): EdgeView | undefined {
  const { fit, load, weight } = totals
  fillScores(totals, query.key)
  const first = fit[bestOf(fit)]
  if (first === undefined) return undefined
  // What was sent there since only adds to the load: below its share of less it is below its share.
  if (!isOverShare(first, utilisationOf(first, query), load, weight)) return first.edge
  return bestWithRoom(fit, query)?.edge
}

function fillScores({ fit, hashes, isEven }: SiteTotals, { hi, lo }: Hash64): void {
  if (scores.length < fit.length) {
    scores = new Float64Array(2 * fit.length)
    utilisations = new Float64Array(2 * fit.length)
  }
  for (let i = 0; i < fit.length; i++) {
    const unit = unitOfWords(hi, lo, hashes[2 * i] ?? 0, hashes[2 * i + 1] ?? 0)
    scores[i] = isEven ? unit : scoreOfUnit(unit, fit[i]?.weight ?? 0)
  }
}

function bestWithRoom(fit: readonly Standing[], query: ChoiceQuery): Standing | undefined {
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
  return fit[bestOf(fit)]
}

/** Less than any score. */
const NO_ROOM = -1
const TAKEN = NO_ROOM

/** The place of the best claim among those that are not overloaded and have room; -1: there is none. */
function bestOf(fit: readonly Standing[]): number {
  let best: Standing | undefined
  let bestPlace = -1
  let bestScore = NO_ROOM
  for (let i = 0; i < fit.length; i++) {
    const standing = fit[i]
    const score = scores[i] ?? NO_ROOM
    if (standing === undefined || standing.overloaded || score < bestScore || score === NO_ROOM) continue
    if (best !== undefined && score === bestScore && best.edge.id < standing.edge.id) continue
    best = standing
    bestPlace = i
    bestScore = score
  }
  return bestPlace
}
