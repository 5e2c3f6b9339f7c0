// What the scheduler knows of its edges' reports, and what operators said over them: the interface that memory.ts
// and redis.ts implement and that test/contract/registry.test.ts holds both to. Reading never waits for anyone.
import type { IpAddress } from '../../src/net/ip.ts'
import type { EdgeOverride, OverrideKept, OverrideRequest } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'

export interface HeardReport {
  readonly report: EdgeReport
  /** This scheduler's monotonic clock when the report arrived, here or at another scheduler. */
  readonly receivedAtMs: number
}

export interface SeenReport extends HeardReport {
  /**
   * Set while the shared store cannot be read: the report's age stands still at this moment, because
   * silence of the store says nothing of the edge. Never set for reports that reach this scheduler itself.
   */
  readonly heldAtMs: number | null
  /** What an operator said of the edge. */
  readonly override?: EdgeOverride
}

export type RegistryStatus =
  | { readonly state: 'healthy' }
  /** Other schedulers' reports are as they were at `sinceMs` (monotonic); `reason` is for people. */
  | { readonly state: 'held'; readonly sinceMs: number; readonly reason: string }

/** retired: not taken, since a process that started later reports as the same edge (instances.ts). */
export type RecordResult = 'recorded' | 'retired'

export interface Registry {
  readonly kind: 'memory' | 'redis'
  /** Replaces the configured edges: what others reported is forgotten, what operators said of them is not. */
  setEdges(ids: readonly string[]): void
  /** Takes in an edge's own report. Never blocks, never fails. */
  record(report: EdgeReport): RecordResult
  /** The freshest report of each edge, by edge id. The map is not changed after it was given out. */
  seen(): ReadonlyMap<string, SeenReport>
  /** The same by the places of these edges, such as `EdgeView.index`; another list after each change. */
  seenBy(edges: EdgeList): PlacedReports
  /** Edges with an override, by edge id, heard of or not. The map is not changed after it was given out. */
  overrides(): ReadonlyMap<string, EdgeOverride>
  /**
   * Replaces what was said of the edge; null takes it back. In force here at once. Resolves, in bounded time, when
   * it is known where it is kept; never fails.
   */
  setOverride(edge: string, wanted: OverrideRequest | null): Promise<OverrideKept>
  /** Names this scheduler with its addresses, checked texts, here at once and to the others within a second. */
  announce(addresses: readonly string[]): void
  /** Names it no longer: it drains. Resolves, in bounded time, when the others can know; never fails. */
  withdraw(): Promise<void>
  /**
   * The addresses of the schedulers that live, this one's among them until it withdraws, and after that while there
   * are no others. One that is lost is gone within 4 s; while the shared store cannot be read, none goes. The list is
   * not changed after it was given out.
   */
  schedulers(): readonly IpAddress[]
  status(): RegistryStatus
  /** Called after each change of seen() or overrides(); one listener. */
  onChange: (() => void) | null
  /** Withdraws first. */
  close(): Promise<void>
}

export type EdgeList = readonly { readonly id: string }[]
export type PlacedReports = readonly (SeenReport | undefined)[]

/** How old a report is, in milliseconds. */
export function ageOf(seen: SeenReport, nowMs: number): number {
  return Math.max(0, (seen.heldAtMs ?? nowMs) - seen.receivedAtMs)
}

/** By the places of the edges, such as `EdgeView.index`. */
export function seenByPlace(edges: EdgeList, seen: ReadonlyMap<string, SeenReport>): PlacedReports {
  return edges.map(({ id }) => seen.get(id))
}

/** The same, kept for who asks for the same edges again. */
export class KeptPlaces {
  #edges: EdgeList | null = null
  #version: unknown
  #reports: PlacedReports = []

  /** `version`: another value when anything in `seen` has changed; left out: that is another map then. */
  of(edges: EdgeList, seen: ReadonlyMap<string, SeenReport>, version: unknown = seen): PlacedReports {
    if (edges !== this.#edges || version !== this.#version) {
      this.#edges = edges
      this.#version = version
      this.#reports = seenByPlace(edges, seen)
    }
    return this.#reports
  }
}

/** Reports with what operators said of their edges. */
export function withOverrides(
  reports: ReadonlyMap<string, SeenReport>,
  overrides: ReadonlyMap<string, EdgeOverride>,
): ReadonlyMap<string, SeenReport> {
  if (overrides.size === 0) return reports
  const joined = new Map(reports)
  for (const [id, override] of overrides) {
    const seen = joined.get(id)
    if (seen !== undefined) joined.set(id, { ...seen, override })
  }
  return joined
}
