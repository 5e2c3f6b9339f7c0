// What the fit edges of a site carry together. Nearly all clients find the same edges fit: for them the sum is made
// once a snapshot, by address family and by what a property asks of its edges, and only what was sent to the site since
// is added for each. So a decision may look at many sites.
import type { Snapshot } from '../snapshot.ts'
import type { SiteView } from '../topology.ts'
import { sessionShareOf, totalsOf } from './candidates.ts'
import type { ChoiceQuery, FitTotals } from './candidates.ts'
import { NO_DEMAND } from './demand.ts'
import { standingOf } from './standing.ts'

interface KeptTotals extends FitTotals {
  /** Bits a second that a session more stands for, in the mean of its edges. */
  readonly sessionLoad: number
  /** Holds in this time. */
  readonly fromMs: number
  readonly untilMs: number
}

type Kept = (KeptTotals | undefined)[]

const keptOf = new WeakMap<Snapshot, Kept>()
let last: { snapshot: Snapshot; kept: Kept } | undefined

/** Of the edges that serve anybody. */
export function siteTotalsOf(site: SiteView, query: ChoiceQuery): FitTotals {
  const { client, avoided, demand, nowMs } = query
  // One edge's word against one client, and clients of no known family, are rare.
  if (client === undefined || avoided !== undefined) return totalsOf(site.ordinary, query)
  const { doubt, load, room, sessionLoad } = keptTotals(site, query, client.family)
  const sent = demand.sessionsAt(site, nowMs)
  return sent === 0 ? { doubt, load, room } : { doubt, load: load + sent * sessionLoad, room }
}

function keptTotals(site: SiteView, query: ChoiceQuery, family: 4 | 6): KeptTotals {
  const { snapshot, property, nowMs } = query
  const kept = last?.snapshot === snapshot ? last.kept : keptIn(snapshot)
  const place =
    (property.capabilitySet * snapshot.topology.sites.length + site.index) * 2 + (family === 4 ? 0 : 1)
  const totals = kept[place]
  if (totals !== undefined && nowMs >= totals.fromMs && nowMs < totals.untilMs) return totals
  return (kept[place] = addUp(site, query))
}

function keptIn(snapshot: Snapshot): Kept {
  const kept = keptOf.get(snapshot) ?? []
  keptOf.set(snapshot, kept)
  last = { snapshot, kept }
  return kept
}

function addUp(site: SiteView, query: ChoiceQuery): KeptTotals {
  const { snapshot, nowMs } = query
  const totals = totalsOf(site.ordinary, { ...query, demand: NO_DEMAND })
  let untilMs = Infinity
  let sessionLoad = 0
  for (const edge of site.ordinary) {
    untilMs = Math.min(untilMs, standingOf(edge, snapshot, nowMs).untilMs)
    sessionLoad += (sessionShareOf(edge) * edge.bandwidth) / site.ordinary.length
  }
  return { ...totals, sessionLoad, fromMs: nowMs, untilMs }
}
