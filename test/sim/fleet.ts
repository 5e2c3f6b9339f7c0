// The edges as they really are, whatever schedulers believe: what each sends, what is wrong with it and since when,
// and what it reports by its own idea of a second.
import type { Family } from '../../scheduler/health/reachability.ts'
import type { EdgeView, Topology } from '../../scheduler/topology.ts'
import type { Random } from '../../src/clock.ts'
import { REPORT_EVERY_MS, REPORTED_DIRECTORIES_MAX } from '../../src/wire/report.ts'
import type { BusyDirectory, EdgeReport } from '../../src/wire/report.ts'
import { reportOf } from '../kit/scheduler.ts'
import type { Asset } from './catalogue.ts'
import { between } from './chance.ts'
import { EDGES_PER_SITE } from './world.ts'

/**
 * off: crashed, or without power. hung: takes nobody, and reports all the same. link: cut off from everybody. control:
 * its reports are lost, and it serves. ipv6: cannot be reached by that family. draining, override: takes no new ones
 * or another share of them, by its own or an operator's word.
 */
export const TROUBLES = ['off', 'hung', 'link', 'control', 'ipv6', 'draining', 'override'] as const
export type Trouble = (typeof TROUBLES)[number]

export interface SimEdge {
  readonly view: EdgeView
  readonly city: number
  /** Its second in real ones. */
  readonly second: number
  /** A report's way to the scheduler. */
  readonly delayMs: number
  nextReportMs: number
  startedMs: number
  /** How often it was started. */
  starts: number
  /** How many causes of each trouble there are now. */
  readonly troubles: Record<Trouble, number>
  /** Since when clients of a family cannot be served; null while they can. */
  readonly deadSinceMs: Record<Family, number | null>
  /** Any trouble began or ended; -Infinity before. */
  changedMs: number
  /** Of an operator's override; 1 without. */
  weight: number
  sessions: number
  /** A second, as its players want. */
  bits: number
  /** The same by asset. */
  readonly bitsOf: Map<number, number>
}

/** A hundredth of the edges count seconds a twentieth too long or too short, the others are nearly right. */
const WRONG_CLOCKS = { share: 0.01, by: 0.05, others: 0.002 }
const LONG_RUNNING_MS = 1e8

export function makeFleet({ edges }: Topology, random: Random): readonly SimEdge[] {
  return edges.map((view) => {
    const wrong = random() < WRONG_CLOCKS.share ? WRONG_CLOCKS.by : WRONG_CLOCKS.others
    return {
      view,
      city: Math.floor(view.index / EDGES_PER_SITE),
      second: between(random, 1 - wrong, 1 + wrong),
      delayMs: between(random, 5, 150),
      nextReportMs: between(random, 0, REPORT_EVERY_MS),
      startedMs: -LONG_RUNNING_MS,
      starts: 1,
      troubles: { off: 0, hung: 0, link: 0, control: 0, ipv6: 0, draining: 0, override: 0 },
      deadSinceMs: { 4: null, 6: null },
      changedMs: -Infinity,
      weight: 1,
      sessions: 0,
      bits: 0,
      bitsOf: new Map<number, number>(),
    }
  })
}

export function serves({ troubles }: SimEdge, family: Family): boolean {
  const { off, hung, link, ipv6 } = troubles
  return off + hung + link === 0 && (family === 4 || ipv6 === 0)
}

export function isTroubled({ troubles }: SimEdge): boolean {
  return TROUBLES.some((trouble) => troubles[trouble] > 0)
}

/** `by` 1 when a cause begins, -1 when it ends. */
export function setTrouble(edge: SimEdge, trouble: Trouble, by: 1 | -1, nowMs: number): void {
  const wasOff = edge.troubles.off > 0
  edge.troubles[trouble] += by
  edge.changedMs = nowMs
  for (const family of [4, 6] as const) {
    if (serves(edge, family)) edge.deadSinceMs[family] = null
    else edge.deadSinceMs[family] ??= nowMs
  }
  if (!wasOff || edge.troubles.off > 0) return
  edge.startedMs = nowMs
  edge.starts += 1
  edge.nextReportMs = nowMs
}

export function addSession(edge: SimEdge, asset: number, bits: number): void {
  edge.sessions += 1
  edge.bits += bits
  edge.bitsOf.set(asset, (edge.bitsOf.get(asset) ?? 0) + bits)
}

export function removeSession(edge: SimEdge, asset: number, bits: number): void {
  edge.sessions -= 1
  edge.bits -= bits
  const left = (edge.bitsOf.get(asset) ?? 0) - bits
  // A player takes far more than what rounding leaves.
  if (left > 1) edge.bitsOf.set(asset, left)
  else edge.bitsOf.delete(asset)
}

/** Its report, if one is due in the step that ends now and can leave. */
export function dueReport(edge: SimEdge, assets: readonly Asset[], nowMs: number): EdgeReport | undefined {
  if (nowMs < edge.nextReportMs || edge.troubles.off > 0) return undefined
  edge.nextReportMs += REPORT_EVERY_MS * edge.second
  if (edge.troubles.link + edge.troubles.control > 0) return undefined
  return reportOf(edge.view.id, {
    instance: `${edge.view.id}-${edge.starts}`,
    state: edge.troubles.draining > 0 ? 'draining' : 'up',
    uptimeMs: (nowMs - edge.startedMs) / edge.second,
    connections: edge.sessions,
    // More than its line takes it cannot send.
    sentBitRate: Math.min(edge.bits, edge.view.bandwidth),
    directories: busiest(edge, assets),
  })
}

/** As an edge reports them: none of which less than a hundredth goes out. */
function busiest({ bitsOf, bits }: SimEdge, assets: readonly Asset[]): BusyDirectory[] {
  const busy: [number, number][] = []
  for (const entry of bitsOf) if (entry[1] > bits / 100) busy.push(entry)
  return busy
    .toSorted((x, y) => y[1] - x[1])
    .slice(0, REPORTED_DIRECTORIES_MAX)
    .flatMap(([index, bitRate]) => {
      const asset = assets[index]
      if (asset === undefined) return []
      return [
        { property: asset.property, path: asset.path.slice(0, asset.path.lastIndexOf('/') + 1), bitRate },
      ]
    })
}
