// The registry of a lone scheduler: the last report of each edge and what operators said, in this process.
import type { Clock } from '../../src/clock.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { EdgeOverride, OverrideKept, OverrideRequest } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { isRetired } from './instances.ts'
import { nextOverride, overrideIn } from './overrides.ts'
import { addressesOf, namedAddresses } from './presence.ts'
import { KeptPlaces } from './registry.ts'
import type {
  EdgeList,
  PlacedReports,
  RecordResult,
  Registry,
  RegistryStatus,
  SeenReport,
} from './registry.ts'

const HEALTHY: RegistryStatus = { state: 'healthy' }

export class MemoryRegistry implements Registry {
  readonly kind = 'memory'
  onChange: (() => void) | null = null
  readonly #clock: Clock
  // Both bounded by the edges of every configuration that ran: the listeners let no other id through.
  readonly #reports = new Map<string, SeenReport>()
  #overrides: ReadonlyMap<string, EdgeOverride> = new Map()
  /** Made when it is asked for. */
  #view: ReadonlyMap<string, SeenReport> | null = null
  readonly #places = new KeptPlaces()
  #changes = 0
  #schedulers: readonly IpAddress[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  setEdges(ids: readonly string[]): void {
    const edges = new Set(ids)
    for (const id of this.#reports.keys()) if (!edges.has(id)) this.#reports.delete(id)
    this.#changed()
  }

  record(report: EdgeReport): RecordResult {
    const heard = { report, receivedAtMs: this.#clock.monotonic(), heldAtMs: null }
    if (isRetired(heard, this.#reports.get(report.id))) return 'retired'
    this.#keep(heard)
    this.#changed()
    return 'recorded'
  }

  seen(): ReadonlyMap<string, SeenReport> {
    this.#view ??= new Map(this.#reports)
    return this.#view
  }

  seenBy(edges: EdgeList): PlacedReports {
    return this.#places.of(edges, this.#reports, this.#changes)
  }

  overrides(): ReadonlyMap<string, EdgeOverride> {
    return this.#overrides
  }

  async setOverride(edge: string, wanted: OverrideRequest | null): Promise<OverrideKept> {
    const overrides = new Map(this.#overrides)
    const override = overrideIn(nextOverride(undefined, wanted, '', this.#clock.now()))
    if (override === undefined) overrides.delete(edge)
    else overrides.set(edge, override)
    this.#overrides = overrides
    const seen = this.#reports.get(edge)
    if (seen !== undefined) {
      this.#keep({ report: seen.report, receivedAtMs: seen.receivedAtMs, heldAtMs: null })
    }
    this.#changed()
    return 'process'
  }

  announce(addresses: readonly string[]): void {
    this.#schedulers = namedAddresses({ addresses: addressesOf(addresses), isLeaving: false }, [])
  }

  /** There are no others to be named instead. */
  async withdraw(): Promise<void> {}

  schedulers(): readonly IpAddress[] {
    return this.#schedulers
  }

  status(): RegistryStatus {
    return HEALTHY
  }

  async close(): Promise<void> {
    this.onChange = null
  }

  /** With what was said of its edge. */
  #keep(heard: SeenReport): void {
    const { id } = heard.report
    const override = this.#overrides.get(id)
    this.#reports.set(id, override === undefined ? heard : { ...heard, override })
  }

  #changed(): void {
    this.#view = null
    this.#changes += 1
    this.onChange?.()
  }
}
