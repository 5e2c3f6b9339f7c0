// The sites of a decision and their edges, each with what it costs and why it was chosen, dropped or passed over.
import { ageOf } from '../registry/registry.ts'
import { fitEdgesOf, totalsOf } from '../choose/candidates.ts'
import type { Candidate, ChoiceQuery, DroppedEdge } from '../choose/candidates.ts'
import { congestionMs, sensitivityOf } from '../choose/cost.ts'
import { distancesBehind, edgesAt } from '../choose/sites.ts'
import type { SiteOption, SiteOrder, WeighedSite, Weighing } from '../choose/sites.ts'
import { stateOf } from '../health/liveness.ts'
import type { EdgeRecord, SiteRecord } from '../../src/wire/decision.ts'
import type { EdgeView } from '../topology.ts'

/** What a choice leaves behind, over HTTP or DNS; of a request that was refused before, nothing. */
export interface MadeChoice {
  readonly choice: ChoiceQuery | undefined
  readonly order: SiteOrder | undefined
  readonly weighing: Weighing | undefined
  /** The edges of the chosen site, best first. */
  readonly ranked: readonly Candidate[]
}

/** The first so many in the order in which they were weighed, and the chosen one wherever it stands. */
export function weighedSites({ weighing, choice, ranked }: MadeChoice, sitesMax: number): SiteRecord[] {
  if (weighing === undefined || choice === undefined) return []
  const told = weighing.sites.filter((weighed, i) => i < sitesMax || weighed === weighing.chosen)
  return told.map((weighed) => {
    const fit = weighed === weighing.chosen ? weighing.fit : fitEdgesOf(edgesAt(weighed), choice)
    const candidates = weighed === weighing.chosen ? ranked : fit.candidates
    return recordOf(weighed, [
      ...candidates.map((candidate, i) =>
        candidateRecord(candidate, weighed === weighing.chosen ? i + 1 : null, choice),
      ),
      ...fit.dropped.map((dropped) => droppedRecord(dropped, choice)),
    ])
  })
}

/** Those that were not weighed, by distance: each as it would have been. */
export function passedOverSites({ weighing, order, choice }: MadeChoice): SiteRecord[] {
  if (weighing === undefined || order === undefined || choice === undefined) return []
  const seen = new Set(weighing.sites.map(keyOf))
  const distances = distancesBehind(order)
  const { neighbours } = order.anchor
  const others = Array.from({ length: neighbours.count }, (_, i): SiteOption[] => {
    const site = neighbours.site(i)
    return site === undefined ? [] : [{ site, role: 'other', distanceMs: distances.of(i) }]
  }).flat()
  const deep = choice.snapshot.topology.deepSites.map((site): SiteOption => {
    return { site, role: 'pinned', distanceMs: 0 }
  })
  return [...order.front, ...others, ...deep].flatMap((option) => {
    if (seen.has(keyOf(option)) || (option.role === 'other' && isInFront(option, order))) return []
    seen.add(keyOf(option))
    return [passedOver(option, choice)]
  })
}

function passedOver(option: SiteOption, choice: ChoiceQuery): SiteRecord {
  const { siteIds } = choice.property
  const edges = edgesAt(option)
  const { load, room } = totalsOf(edges, choice)
  const fit = fitEdgesOf(edges, choice)
  const utilisation = room === 0 ? 0 : load / room
  const penaltyMs = congestionMs(utilisation) * sensitivityOf(choice.key, option.site.hash)
  const isForIt = siteIds === null || siteIds.has(option.site.id)
  const verdict = !isForIt ? 'not-for-property' : fit.candidates.length === 0 ? 'no-fit-edge' : 'farther'
  const costMs = fit.candidates.length === 0 ? Infinity : option.distanceMs + penaltyMs
  return recordOf({ ...option, utilisation, congestionMs: penaltyMs, costMs, verdict }, [
    ...fit.candidates.map((candidate) => candidateRecord(candidate, null, choice)),
    ...fit.dropped.map((dropped) => droppedRecord(dropped, choice)),
  ])
}

type Judged = Omit<WeighedSite, 'verdict'> & { readonly verdict: SiteRecord['verdict'] }

function recordOf(
  { site, role, distanceMs, utilisation, congestionMs: penalty, costMs, verdict }: Judged,
  edges: EdgeRecord[],
): SiteRecord {
  return {
    site: site.id,
    role,
    distanceMs: rounded(distanceMs),
    utilisation: rounded(utilisation),
    congestionMs: rounded(penalty),
    costMs: costMs === Infinity ? null : rounded(costMs),
    verdict,
    edges,
  }
}

function candidateRecord(candidate: Candidate, place: number | null, choice: ChoiceQuery): EdgeRecord {
  const { id, edge, state, doubt, reason, utilisation, weight, ramp } = candidate
  return {
    edge: id,
    state,
    place,
    // A last resort says first why it is one.
    reason: doubt === 'none' ? (place === null ? 'other-site' : reason) : doubt,
    utilisation: rounded(utilisation),
    weight: rounded(weight),
    ramp: rounded(ramp),
    ageMs: ageIn(edge, choice),
  }
}

function droppedRecord({ edge, reason }: DroppedEdge, choice: ChoiceQuery): EdgeRecord {
  const { snapshot, nowMs } = choice
  return {
    edge: edge.id,
    state: stateOf(snapshot.reports[edge.index], nowMs, snapshot.health[edge.index]),
    place: null,
    reason,
    utilisation: 0,
    weight: edge.weight,
    ramp: 1,
    ageMs: ageIn(edge, choice),
  }
}

function ageIn(edge: EdgeView, { snapshot, nowMs }: ChoiceQuery): number | null {
  const seen = snapshot.reports[edge.index]
  return seen === undefined ? null : Math.round(ageOf(seen, nowMs))
}

function isInFront({ site }: SiteOption, { front }: SiteOrder): boolean {
  return front.some((option) => option.site === site && option.role === 'located')
}

/** The deep edges of a site and its others are weighed apart. */
function keyOf({ site, role }: SiteOption): string {
  return `${role === 'pinned' ? 'deep' : 'ordinary'} ${site.id}`
}

/** To a thousandth. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
