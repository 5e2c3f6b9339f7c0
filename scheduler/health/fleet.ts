// The fleet as a whole: which of its edges' silence, and which failed probes, are believed. One gate a kind of
// evidence (mass-failure.ts); what a gate holds is as it was before.
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'
import { SUSPECT_AFTER_MS } from '../limits.ts'
import { placesBefore } from '../places-before.ts'
import type { EdgeView } from '../topology.ts'
import { MassFailureGate } from './mass-failure.ts'
import type { Finding, MassFailureChange } from './mass-failure.ts'
import { REACH_UNKNOWN } from './reachability.ts'
import type { EdgeReach, Family, Reach } from './reachability.ts'

export const EVIDENCE = ['reports', 'probes-ipv4', 'probes-ipv6'] as const

export type Evidence = (typeof EVIDENCE)[number]

export interface FleetHold {
  readonly evidence: Evidence
  /** Monotonic. */
  readonly sinceMs: number
  /** Held as they were. */
  readonly edges: number
}

export interface FleetFindings {
  /** Indexes of edges whose last report counts as just arrived. */
  readonly heldReports: ReadonlySet<number>
  /** By `EdgeView.index`; empty where nothing is probed. */
  readonly reach: readonly EdgeReach[]
  readonly holds: readonly FleetHold[]
}

export const NO_FINDINGS: FleetFindings = { heldReports: new Set(), reach: [], holds: [] }

export interface FleetChange {
  readonly evidence: Evidence
  readonly change: MassFailureChange
  /** That are held since; where none is, that were held until then. */
  readonly edges: number
}

export class FleetJudge {
  readonly #gates: Readonly<Record<Evidence, MassFailureGate>>
  readonly #edges: readonly EdgeView[]
  /** Of each edge, by `EdgeView.index`; written over at each look. */
  readonly #findings: Readonly<Record<Evidence, Finding[]>>
  /** The probes' verdicts that they were made from. */
  #reach: readonly EdgeReach[] = []

  /** `before`: of the configuration before, whose findings and holds go on. */
  constructor(edges: readonly EdgeView[], before?: FleetJudge) {
    const places = before === undefined ? [] : placesBefore(edges, before.#edges)
    const gate = (evidence: Evidence) =>
      before === undefined ? new MassFailureGate(edges.length) : before.#gates[evidence].movedTo(places)
    this.#edges = edges
    const nothing = () => edges.map((): Finding => 'none')
    this.#findings = { reports: nothing(), 'probes-ipv4': nothing(), 'probes-ipv6': nothing() }
    this.#gates = {
      reports: gate('reports'),
      'probes-ipv4': gate('probes-ipv4'),
      'probes-ipv6': gate('probes-ipv6'),
    }
  }

  /**
   * Takes the registry's reports and the probes' verdicts as they are now, both by `EdgeView.index`. `reach` is another
   * list when anything in it has changed.
   */
  judge(
    reports: readonly (SeenReport | undefined)[],
    reach: readonly EdgeReach[],
    nowMs: number,
  ): { findings: FleetFindings; changes: readonly FleetChange[] } {
    const changes: FleetChange[] = []
    const holds: FleetHold[] = []
    this.#findByReports(reports, reach, nowMs)
    if (reach !== this.#reach) this.#findByProbes(reach)
    for (const evidence of EVIDENCE) {
      const gate = this.#gates[evidence]
      // Where nothing is probed there are no verdicts, and none to take back.
      if (evidence !== 'reports' && reach.length === 0 && gate.hold === null) continue
      const before = gate.hold?.held.size ?? 0
      const change = gate.judge(this.#findings[evidence], nowMs)
      const edges = gate.hold?.held.size ?? 0
      if (change !== null) changes.push({ evidence, change, edges: Math.max(before, edges) })
      if (gate.hold !== null) holds.push({ evidence, sinceMs: gate.hold.sinceMs, edges })
    }
    const heldReports = this.#gates.reports.hold?.held ?? NO_FINDINGS.heldReports
    return { findings: { heldReports, reach: this.#heldReach(reach), holds }, changes }
  }

  #findByReports(
    reports: readonly (SeenReport | undefined)[],
    reach: readonly EdgeReach[],
    nowMs: number,
  ): void {
    const findings = this.#findings.reports
    for (let i = 0; i < findings.length; i++) findings[i] = reportFinding(reports[i], reach[i], nowMs)
  }

  /** A new list comes with each change of a verdict, and most looks are for a report. */
  #findByProbes(reach: readonly EdgeReach[]): void {
    this.#reach = reach
    const { 'probes-ipv4': ipv4, 'probes-ipv6': ipv6 } = this.#findings
    for (let i = 0; i < ipv4.length; i++) {
      ipv4[i] = probeFinding(reach[i]?.[4])
      ipv6[i] = probeFinding(reach[i]?.[6])
    }
  }

  #heldReach(reach: readonly EdgeReach[]): readonly EdgeReach[] {
    const held = { 4: this.#gates['probes-ipv4'].hold?.held, 6: this.#gates['probes-ipv6'].hold?.held }
    if (held[4] === undefined && held[6] === undefined) return reach
    const asItWas = (family: Family, member: number, now: Reach) =>
      held[family]?.has(member) === true ? 'reachable' : now
    return reach.map((edge, member) => ({ 4: asItWas(4, member, edge[4]), 6: asItWas(6, member, edge[6]) }))
  }
}

/** Silence alone: what an edge or an operator says of it is no failure. Who answers probes is not gone. */
function reportFinding(seen: SeenReport | undefined, reach: EdgeReach | undefined, nowMs: number): Finding {
  if (seen === undefined || seen.report.state === 'draining') return 'none'
  if (seen.override !== undefined && seen.override.state !== null) return 'none'
  if (ageOf(seen, nowMs) <= SUSPECT_AFTER_MS) return 'good'
  return reach?.[4] === 'reachable' || reach?.[6] === 'reachable' ? 'vouched' : 'bad'
}

function probeFinding(reach: Reach = REACH_UNKNOWN[4]): Finding {
  if (reach === 'unknown') return 'none'
  return reach === 'reachable' ? 'good' : 'bad'
}
