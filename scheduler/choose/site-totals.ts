// What the fit edges of a site carry together. Nearly all clients find the same edges fit: for them the sum is made
// once while its edges stand as they do, by address family and by what a property asks of them, and only what was sent
// to the site since is added for each. So a decision may look at many sites.
import type { SiteView, Topology } from '../topology.ts'
import { placeOf, sessionShareOf, totalsOf } from './candidates.ts'
import type { ChoiceQuery, FitTotals } from './candidates.ts'
import { NO_DEMAND } from './demand.ts'
import { FitFigures } from './fit-figures.ts'
import { standingOf } from './standing.ts'

export interface SiteTotals extends FitTotals {
  /** Of those edges that may take the client and that `doubt` is said of. */
  readonly fit: FitFigures
  /** All of them have one weight. */
  readonly isEven: boolean
  /** The sum of what they may claim of the site's load. */
  readonly weight: number
  /** Bits a second that one of them can send, in the mean. */
  readonly meanCapacity: number
  /** One of them is over its own limit. */
  readonly isOverloaded: boolean
  /** Bits a second that a session more stands for, in the mean of its edges. */
  readonly sessionLoad: number
}

interface KeptTotals extends SiteTotals {
  /** Of the site in the snapshot that it was made from: while its edges are as they were there, it holds in this time. */
  readonly serial: number | undefined
  readonly fromMs: number
  readonly untilMs: number
}

type Kept = (KeptTotals | undefined)[]

const keptOf = new WeakMap<Topology, Kept>()
let last: { topology: Topology; kept: Kept } | undefined

/** Of the edges that serve anybody; `load` without what was sent there since they reported. */
export function siteTotalsOf(site: SiteView, query: ChoiceQuery): SiteTotals {
  const { family, byAddress, avoided } = query
  // One edge's word against one client, and clients of no known family, are rare.
  if (family === undefined || avoided !== undefined) return addUp(site, query)
  const { property, snapshot } = query
  const { topology } = snapshot
  const kept = last?.topology === topology ? last.kept : keptIn(topology)
  const group = property.capabilitySet * topology.sites.length + site.index
  const place = group * 4 + (family === 4 ? 0 : 1) + (byAddress ? 2 : 0)
  const totals = kept[place]
  if (totals !== undefined && stillHolds(totals, site, query)) return totals
  return (kept[place] = addUp(site, query))
}

/** The load with what was sent there since. */
export function loadAt(
  site: SiteView,
  { load, sessionLoad }: SiteTotals,
  { demand, nowMs }: ChoiceQuery,
): number {
  return load + demand.sessionsAt(site, nowMs) * sessionLoad
}

/** The totals with that load. */
export function loadedTotalsOf(site: SiteView, query: ChoiceQuery): FitTotals {
  const totals = siteTotalsOf(site, query)
  return { doubt: totals.doubt, load: loadAt(site, totals, query), room: totals.room }
}

function keptIn(topology: Topology): Kept {
  const kept = keptOf.get(topology) ?? []
  keptOf.set(topology, kept)
  last = { topology, kept }
  return kept
}

function stillHolds(
  { serial, fromMs, untilMs }: KeptTotals,
  site: SiteView,
  { snapshot, nowMs }: ChoiceQuery,
): boolean {
  return serial === snapshot.siteSerials[site.index] && nowMs >= fromMs && nowMs < untilMs
}

function addUp(site: SiteView, query: ChoiceQuery): KeptTotals {
  const { snapshot, nowMs } = query
  const standings = site.ordinary.map((edge) => standingOf(edge, snapshot, nowMs))
  const totals = totalsOf(site.ordinary, { ...query, demand: NO_DEMAND })
  const fit = standings.filter((standing) => placeOf(standing, query) === totals.doubt)
  const sessionLoad = site.ordinary.reduce((sum, edge) => sum + sessionShareOf(edge) * edge.bandwidth, 0)
  return {
    ...totals,
    fit: new FitFigures(fit),
    isEven: fit.every(({ weight }) => weight === fit[0]?.weight),
    weight: fit.reduce((sum, { weight, ramp }) => sum + weight * ramp, 0),
    meanCapacity: fit.reduce((sum, { capacity }) => sum + capacity, 0) / fit.length,
    isOverloaded: fit.some(({ overloaded }) => overloaded),
    sessionLoad: sessionLoad / Math.max(1, site.ordinary.length),
    serial: snapshot.siteSerials[site.index],
    fromMs: nowMs,
    untilMs: standings.reduce((least, { untilMs }) => Math.min(least, untilMs), Infinity),
  }
}
