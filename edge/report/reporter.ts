// Reports to the scheduler every second and keeps the configuration that it asks for. A scheduler that is
// away changes nothing: the edge serves on with what it has.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Background } from '../../src/background.ts'
import { messageOf } from '../../src/errors.ts'
import type { HttpServer } from '../../src/listener/http-server.ts'
import { VERSION } from '../../src/version.ts'
import { REPORT_EVERY_MS } from '../../src/wire/report.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { EdgeContext } from '../exchange.ts'
import { buildPropertyTable } from '../property/property-table.ts'
import { PropertyRates } from './property-rates.ts'
import { saveConfig } from './saved-config.ts'
import type { SchedulerClient } from './scheduler-client.ts'
import type { TrafficTotals } from './traffic.ts'

export class Reporter {
  /** What the last exchange with the scheduler failed with; null when it went well. */
  failure: string | null = 'has not reported yet'
  private readonly client: SchedulerClient
  private readonly edge: EdgeContext
  private readonly server: HttpServer
  private readonly background: Background
  /** Where the configuration is kept; null: nowhere. */
  private readonly directory: string | null
  private readonly startedMs: number
  private readonly stopping = new AbortController()
  private draining = false
  private lastTotals: TrafficTotals = { requests: 0, hits: 0, bodyBytes: 0 }
  private lastMs: number
  private readonly instance: string = randomUUID()
  private readonly propertyRates: PropertyRates

  constructor(
    client: SchedulerClient,
    edge: EdgeContext,
    server: HttpServer,
    background: Background,
    directory: string | null,
  ) {
    this.client = client
    this.edge = edge
    this.server = server
    this.background = background
    this.directory = directory
    this.startedMs = edge.clock.monotonic()
    this.lastMs = this.startedMs
    this.propertyRates = new PropertyRates((id) => edge.traffic.sentBytesOf(id))
  }

  start(): void {
    this.background('report to the scheduler', this.loop())
  }

  /** Says that this edge takes no new clients, once, and stops reporting. */
  async drain(): Promise<void> {
    this.draining = true
    this.stopping.abort()
    await this.exchange()
  }

  private async loop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const begun = this.edge.clock.monotonic()
      // oxlint-disable-next-line no-await-in-loop -- a clock's tick, one exchange each
      await this.exchange()
      const rest = Math.max(50, REPORT_EVERY_MS - (this.edge.clock.monotonic() - begun))
      // oxlint-disable-next-line no-await-in-loop
      await wait(rest, undefined, { signal: this.stopping.signal }).catch(() => {})
    }
  }

  private async exchange(): Promise<void> {
    try {
      // An edge without configuration would refuse every client it is sent: it does not report yet.
      if (this.edge.table.version === '') await this.fetchConfig()
      const reply = await this.client.report(this.report())
      if (reply.configVersion !== this.edge.table.version) await this.fetchConfig()
      if (this.failure !== null) this.edge.log.info('reporting to the scheduler')
      this.failure = null
    } catch (error) {
      const failure = messageOf(error)
      // Once a cause, not once a second.
      if (failure !== this.failure) this.edge.log.error({ err: failure }, 'cannot report to the scheduler')
      this.failure = failure
    }
  }

  private async fetchConfig(): Promise<void> {
    const config = await this.client.config()
    this.edge.table = buildPropertyTable(config, this.edge.id)
    this.edge.log.info(
      { version: config.version, properties: config.properties.length },
      'configuration taken',
    )
    if (this.directory !== null) await saveConfig(this.directory, config)
  }

  private report(): EdgeReport {
    const { edge } = this
    const nowMs = edge.clock.monotonic()
    const sinceMs = Math.max(1, nowMs - this.lastMs)
    const seconds = sinceMs / 1000
    const now = { ...edge.traffic.totals }
    const requests = now.requests - this.lastTotals.requests
    const hits = now.hits - this.lastTotals.hits
    const report: EdgeReport = {
      id: edge.id,
      instance: this.instance,
      state: this.draining ? 'draining' : edge.cache.disk.degraded ? 'degraded' : 'up',
      version: VERSION,
      configVersion: edge.table.version,
      uptimeMs: Math.round(nowMs - this.startedMs),
      connections: this.server.connectionCount,
      requestRate: requests / seconds,
      sentBitRate: ((now.bodyBytes - this.lastTotals.bodyBytes) * 8) / seconds,
      hitRatio: requests === 0 ? null : hits / requests,
      memoryBytes: edge.cache.memory.bytes,
      diskBytes: edge.cache.disk.bytes,
      directories: edge.traffic.directories.take(sinceMs),
      properties: this.propertyRates.take(edge.table.reported, sinceMs),
    }
    this.lastTotals = now
    this.lastMs = nowMs
    return report
  }
}
