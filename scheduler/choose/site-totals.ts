// What the fit edges of a site carry together. Nearly all clients find the same edges fit: for them the sum is made
// once while its edges stand as they do, by address family and by what a property asks of them, and only what was sent
// to the site since is added for each. So a decision may look at many sites.
import type { SiteView, Topology } from '../topology.ts'
import { DOUBTS, placeOf, sessionShareOf, utilisationBy } from './candidates.ts'
import type { ChoiceQuery, FitTotals } from './candidates.ts'
import { FitAddresses } from './fit-addresses.ts'
import { FitFigures } from './fit-figures.ts'
import { standingOf } from './standing.ts'
import type { Standing } from './standing.ts'

export interface SiteTotals extends FitTotals {
  /** Of those edges that may take the client and that `doubt` is said of; written over when the site is added up anew. */
  readonly fit: FitFigures
  /** Those of the client's family, where it is told addresses; of the same edges. */
  readonly addresses: FitAddresses | null
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
  return (kept[place] = addUp(site, query, totals))
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

/** In one pass over the edges and one over the fit ones: a site's are added up anew with each snapshot. */
function addUp(site: SiteView, query: ChoiceQuery, earlier?: KeptTotals): KeptTotals {
  const { snapshot, nowMs } = query
  const standings: Standing[] = []
  let doubt: number = DOUBTS.length
  let sessionLoad = 0
  let untilMs = Infinity
  for (const edge of site.ordinary) {
    const standing = standingOf(edge, snapshot, nowMs)
    sessionLoad += sessionShareOf(edge) * edge.bandwidth
    untilMs = Math.min(untilMs, standing.untilMs)
    const place = placeOf(standing, query)
    if (place === DOUBTS.length || place > doubt) continue
    if (place < doubt) standings.length = 0
    doubt = place
    standings.push(standing)
  }
  let [load, room, weight, capacity] = [0, 0, 0, 0]
  let isEven = true
  let isOverloaded = false
  for (const standing of standings) {
    const { edge, sentBitRate, connections } = standing
    const utilisation = utilisationBy(sentBitRate, connections, 0, edge.bandwidth, edge.connectionsMax)
    load += utilisation * edge.bandwidth
    room += standing.capacity * standing.ramp
    weight += standing.weight * standing.ramp
    capacity += standing.capacity
    isEven &&= standing.weight === standings[0]?.weight
    isOverloaded ||= standing.overloaded
  }
  const fit = earlier?.fit ?? new FitFigures()
  fit.take(standings, load, weight)
  const { family, byAddress } = query
  const addresses =
    byAddress && family !== undefined ? (earlier?.addresses ?? new FitAddresses(family)) : null
  if (family !== undefined) addresses?.take(standings, family)
  return {
    doubt,
    load,
    room,
    fit,
    addresses,
    isEven,
    weight,
    meanCapacity: capacity / standings.length,
    isOverloaded,
    sessionLoad: sessionLoad / Math.max(1, site.ordinary.length),
    serial: snapshot.siteSerials[site.index],
    fromMs: nowMs,
    untilMs,
  }
}
