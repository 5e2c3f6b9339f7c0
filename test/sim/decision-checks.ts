// Every decision, held against the world as it is: that its edge can serve the client, that no client is turned away
// while one could, and (nearness.ts) that it goes to the nearest site or past it for a reason.
import { decisionRecordOf } from '../../scheduler/explain/decision-record.ts'
import type { Asset } from './catalogue.ts'
import type { Client } from './clients.ts'
import { RECOVERED_MS } from './decided.ts'
import type { ChecksParts, Death, Decided } from './decided.ts'
import { isTroubled } from './fleet.ts'
import type { SimEdge } from './fleet.ts'
import { Nearness } from './nearness.ts'

/**
 * What the design promises, not what limits.ts says. Past its last report an edge lives five seconds at most, and that
 * one may have been on its way for 150 ms when it died. One that reports is found out by two probes in a row, each of
 * which takes a second to fail: the first up to a round of two thousand addresses after its death, 2.5 s at 800 probes
 * a second, and the second at once.
 */
export const LIVENESS_BOUND_MS: Readonly<Record<Death, number>> = { silent: 5200, mute: 5000 }

/** A report says it each second, may be lost once, and takes half a second to other schedulers. */
const DRAIN_KNOWN_MS = 2800

export class DecisionChecks {
  readonly nearness: Nearness
  readonly #parts: ChecksParts
  decisions = 0
  /** Sent to a dead edge since what is known of it is held. */
  held = 0

  constructor(parts: ChecksParts) {
    this.#parts = parts
    this.nearness = new Nearness(parts)
  }

  check(decided: Decided): void {
    this.decisions += 1
    const { chosen } = decided.steered
    if (chosen === undefined) return this.#checkEmpty(decided)
    const edge = this.#parts.fleet[chosen.edge.index]
    if (edge === undefined) throw new Error('an edge that is not there')
    this.#checkFit(decided, edge)
    this.#checkAlive(decided, edge)
    this.#checkDraining(decided, edge)
    const { violations } = this.#parts
    const problem = this.nearness.problemOf(decided, edge)
    if (problem !== undefined) violations.add('not-nearest', decided.atMs, () => told(decided, problem))
  }

  #checkEmpty(decided: Decided): void {
    const { fleet, violations } = this.#parts
    const { client, asset, atMs } = decided
    const able = fleet.find(
      (edge) =>
        atMs - edge.changedMs > RECOVERED_MS &&
        !isTroubled(edge) &&
        this.#problemOfFit(edge, client, asset) === undefined,
    )
    if (able === undefined) return
    violations.add('empty-answer', atMs, () => told(decided, `${able.view.id} could serve`))
  }

  #checkFit(decided: Decided, edge: SimEdge): void {
    const problem = this.#problemOfFit(edge, decided.client, decided.asset)
    if (problem !== undefined) {
      this.#parts.violations.add('unfit-edge', decided.atMs, () => told(decided, problem))
    }
  }

  #problemOfFit({ view, city }: SimEdge, client: Client, asset: Asset): string | undefined {
    if (asset.property === 'uhd' && !view.capabilities.has('uhd')) return 'it cannot serve UHD'
    if (asset.property === 'regional' && this.#parts.cities[city]?.regional !== true)
      return 'its site may not'
    if (view.pinned !== null && !client.pinned) return 'it is pinned to other networks'
    return view.families[client.family] ? undefined : `it has no IPv${client.family} address`
  }

  #checkAlive(decided: Decided, edge: SimEdge): void {
    const { client, atMs, steered } = decided
    const since = edge.deadSinceMs[client.family]
    if (since === null) return
    const { lateSeconds, violations } = this.#parts
    const death: Death = edge.troubles.off + edge.troubles.link > 0 ? 'silent' : 'mute'
    lateSeconds[death].add((atMs - since) / 1000)
    if (atMs - since <= LIVENESS_BOUND_MS[death]) return
    const seen = steered.snapshot.reports[edge.view.index]
    if (steered.snapshot.holds.length > 0 && seen !== undefined && seen.heldAtMs !== null) {
      // Nothing says so but the probes, which need as long as for one that reports.
      this.held += 1
      if (atMs - since <= LIVENESS_BOUND_MS.mute) return
    }
    violations.add('dead-edge', atMs, () =>
      told(decided, `${edge.view.id} is dead (${death}) for ${((atMs - since) / 1000).toFixed(2)} s`),
    )
  }

  #checkDraining(decided: Decided, edge: SimEdge): void {
    const { troubles, changedMs, view } = edge
    const drains = troubles.draining > 0 || (troubles.override > 0 && edge.weight === 0)
    // One whose reports are lost cannot say so.
    const heard = troubles.control + troubles.link === 0
    if (!drains || !heard || decided.atMs - changedMs <= DRAIN_KNOWN_MS) return
    this.#parts.violations.add('draining-edge', decided.atMs, () => told(decided, `${view.id} drains`))
  }
}

/** What was decided and why, in lines. */
function told({ steered, client, scheduler, asset }: Decided, problem: string): string {
  const { chosen, location, sites, holds } = decisionRecordOf(steered, { everySite: false, sitesMax: 6 })
  const where = location === null ? 'nowhere' : `${location.source}: ${location.sites.slice(0, 3).join(', ')}`
  const weighed = sites.map(
    ({ site, role, distanceMs, utilisation, congestionMs, costMs, verdict, edges }) =>
      `    ${site} (${role}): ${verdict}, cost ${costMs} = ${distanceMs} ms + ${congestionMs} ms at ${utilisation}; ` +
      edges.map(({ edge, state, reason, ageMs }) => `${edge} ${state} ${reason} ${ageMs}`).join(' | '),
  )
  const held = holds.map(
    ({ evidence, edges, forMs }) => `    held: ${evidence} of ${edges} edges for ${forMs} ms`,
  )
  return [
    problem,
    `    scheduler ${scheduler}: ${client.peer} (${where}) asks ${asset.property} ${asset.path} -> ${chosen?.edge ?? 'nobody'}`,
    ...weighed,
    ...held,
  ].join('\n')
}
