// The registry of a lone scheduler: the last report of each edge, in this process.
import type { Clock } from '../../src/clock.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { Registry, RegistryStatus, SeenReport } from './registry.ts'

const HEALTHY: RegistryStatus = { state: 'healthy' }

export class MemoryRegistry implements Registry {
  readonly kind = 'memory'
  onChange: (() => void) | null = null
  readonly #clock: Clock
  // Bounded by the configured edges: the control listener lets no other id through.
  readonly #reports = new Map<string, SeenReport>()
  #view: ReadonlyMap<string, SeenReport> | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  record(report: EdgeReport): void {
    this.#reports.set(report.id, { report, receivedAtMs: this.#clock.monotonic(), heldAtMs: null })
    this.#view = null
    this.onChange?.()
  }

  seen(): ReadonlyMap<string, SeenReport> {
    this.#view ??= new Map(this.#reports)
    return this.#view
  }

  status(): RegistryStatus {
    return HEALTHY
  }

  async close(): Promise<void> {
    this.onChange = null
  }
}
