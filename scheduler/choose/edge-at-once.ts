// The edge that nearly all clients get at a site with room, found without ranking any: of those that are not above their
// share the asset's hash prefers one; of those that a hot asset is on, the client's own. It is the edge that the long way
// would choose there, or none; likewise the first few.
import type { EdgeView, SiteView } from '../topology.ts'
import type { Family } from '../health/reachability.ts'
import type { ChoiceQuery } from './candidates.ts'
import { HOT_SEARCH_STEPS_MAX } from '../limits.ts'
import { copiesOf, personalKeyOf } from './edges.ts'
import type { FitFigures } from './fit-figures.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import { siteTotalsOf } from './site-totals.ts'
import type { SiteTotals } from './site-totals.ts'

/** At a site that `siteAtOnce` gave. undefined: its edges must be ranked. */
export function edgeAtOnce(site: SiteView, query: ChoiceQuery): EdgeView | undefined {
  const totals = siteTotalsOf(site, query)
  const { fit, load, weight } = totals
  const copies = fillClaims(site, totals, query)
  if (copies === UNKNOWN) return undefined
  const first = bestOf(fit)
  // What was sent there since only adds to the load: below its share of less it is below its share.
  if (first >= 0 && !fit.isOverShare(first, utilisationAt(fit, first, query), load, weight)) {
    return fit.edge(first)
  }
  const loadNow = lookAtLoads(fit, query)
  passOverLoaded(fit, loadNow, weight)
  const next = bestOf(fit)
  if (next >= 0 || copies === 1 || copies === fit.count) return fit.edge(next)
  // None that a hot asset is on has room: it goes to the next that has, as if it were on one more.
  claimForAsset(totals, query.key)
  passOverLoaded(fit, loadNow, weight)
  return fit.edge(bestOf(fit))
}

/**
 * For a client that is told addresses: the first edges of that order, until they have so many addresses of its family
 * together; all where they never do. undefined: so many are above their share that they must be ranked.
 */
export function edgesAtOnce(
  site: SiteView,
  query: ChoiceQuery,
  family: Family,
  addresses: number,
): readonly EdgeView[] | undefined {
  const { fit } = fillOpenClaims(site, query)
  const edges: EdgeView[] = []
  let count = 0
  while (count < addresses && edges.length < fit.count) {
    const place = bestOf(fit)
    const next = fit.edge(place)
    if (next === undefined) return undefined
    scores[place] = TAKEN
    edges.push(next)
    count += next.addressData[family].length
  }
  return edges
}

/**
 * The addresses of those edges into `out`, which they fill unless they are fewer, where no edge is asked for itself.
 * Gives how many octets they have. undefined: as above.
 */
export function addressesAtOnce(site: SiteView, query: ChoiceQuery, out: Uint8Array): number | undefined {
  const { fit, addresses } = fillOpenClaims(site, query)
  let end = 0
  for (let taken = 0; end < out.length && taken < fit.count; taken++) {
    const place = bestOf(fit)
    if (place < 0 || addresses === null) return undefined
    scores[place] = TAKEN
    end = addresses.copy(place, out, end, out.length)
  }
  return end
}

/** What each edge may claim of a client that asks for no asset: NO_ROOM where it is above its share, or its limit. */
function fillOpenClaims(site: SiteView, query: ChoiceQuery): SiteTotals {
  const totals = siteTotalsOf(site, query)
  const { fit, weight } = totals
  makeRoom(fit)
  fillScores(totals, query.key)
  passOverOverloaded(totals)
  // Where nobody was sent since, the edges stand as they did when they were added up.
  if (query.demand.sessionsAt(site, query.nowMs) === 0) passOverReported(fit)
  else passOverLoaded(fit, lookAtLoads(fit, query), weight)
  return totals
}

/** Of the edges of one site while it is looked at: as many as the largest has. */
let scores = new Float64Array(16)
let utilisations = new Float64Array(16)
let holders = new Uint8Array(16)

/** Less than any score: it is not for this client, or was. */
const NO_ROOM = -1
const TAKEN = NO_ROOM

/** Of the edges that an asset is on: to rank them is less work than to look for them. */
const UNKNOWN = 0

/** What each edge may claim of this client: NO_ROOM where nothing. Gives how many edges the asset is on, or UNKNOWN. */
function fillClaims(site: SiteView, totals: SiteTotals, query: ChoiceQuery): number {
  const { fit, meanCapacity } = totals
  const { key, demand, nowMs } = query
  makeRoom(fit)
  fillScores(totals, key)
  const rate = demand.assetRate(key, site, nowMs)
  const bitRate = demand.assetBitRate(key, site, nowMs)
  const copies = copiesOf({ rate, bitRate }, meanCapacity, fit.count)
  if (copies > 1) {
    if (copies < fit.count && copies * fit.count > HOT_SEARCH_STEPS_MAX) return UNKNOWN
    claimForClient(totals, copies, query)
  }
  passOverOverloaded(totals)
  return copies
}

function makeRoom({ count }: FitFigures): void {
  if (scores.length >= count) return
  scores = new Float64Array(2 * count)
  utilisations = new Float64Array(2 * count)
  holders = new Uint8Array(2 * count)
}

/** As the asset's hash prefers them, whoever asks. */
function claimForAsset(totals: SiteTotals, key: Hash64): void {
  fillScores(totals, key)
  passOverOverloaded(totals)
}

function passOverOverloaded({ fit, isOverloaded }: SiteTotals): void {
  if (!isOverloaded) return
  for (let i = 0; i < fit.count; i++) if (fit.isOverloaded(i)) scores[i] = NO_ROOM
}

function fillScores({ fit, isEven }: SiteTotals, key: Hash64): void {
  for (let i = 0; i < fit.count; i++) scores[i] = isEven ? fit.unit(i, key) : fit.score(i, key)
}

/** Among the `copies` edges of the best scores each client has its own order; the others stand behind, unasked. */
function claimForClient(totals: SiteTotals, copies: number, { key, client }: ChoiceQuery): void {
  const { fit } = totals
  const isOnAll = copies === fit.count
  if (!isOnAll) markHolders(fit, copies)
  fillScores(totals, personalKeyOf(key, client))
  if (isOnAll) return
  for (let i = 0; i < fit.count; i++) if (holders[i] === 0) scores[i] = NO_ROOM
}

function markHolders(fit: FitFigures, copies: number): void {
  holders.fill(0, 0, fit.count)
  for (let taken = 0; taken < copies; taken++) {
    const place = bestOf(fit)
    holders[place] = 1
    scores[place] = TAKEN
  }
}

/** Of each edge as it is now; gives the load of all of them. */
function lookAtLoads(fit: FitFigures, query: ChoiceQuery): number {
  let load = 0
  for (let i = 0; i < fit.count; i++) {
    const utilisation = utilisationAt(fit, i, query)
    utilisations[i] = utilisation
    load += utilisation * fit.bandwidth(i)
  }
  return load
}

/** Those above their share of that load. */
function passOverLoaded(fit: FitFigures, load: number, weight: number): void {
  for (let i = 0; i < fit.count; i++) {
    if (fit.isOverShare(i, utilisations[i] ?? 0, load, weight)) scores[i] = NO_ROOM
  }
}

/** Those above theirs of what edges reported. */
function passOverReported(fit: FitFigures): void {
  for (let i = 0; i < fit.count; i++) if (fit.isReportedOverShare(i)) scores[i] = NO_ROOM
}

function utilisationAt(fit: FitFigures, place: number, { demand, nowMs }: ChoiceQuery): number {
  return fit.utilisation(place, demand.sessionsOn(fit.index(place), nowMs))
}

/** The place of the best claim; -1: there is none. */
function bestOf(fit: FitFigures): number {
  let best = -1
  let bestScore = NO_ROOM
  for (let i = 0; i < fit.count; i++) {
    const score = scores[i] ?? NO_ROOM
    if (score < bestScore || score === NO_ROOM) continue
    if (score === bestScore && isFirstById(fit, best, i)) continue
    best = i
    bestScore = score
  }
  return best
}

function isFirstById(fit: FitFigures, one: number, other: number): boolean {
  return (fit.edge(one)?.id ?? '') < (fit.edge(other)?.id ?? '')
}
