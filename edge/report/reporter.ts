// Reports to the scheduler every second, or at once when there is something to say, and has the configuration fetched
// that the reply names. A scheduler that is away changes nothing: the edge serves on with what it has.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Background } from '../../src/background.ts'
import { messageOf } from '../../src/errors.ts'
import type { HttpServer } from '../../src/listener/http-server.ts'
import { VERSION } from '../../src/version.ts'
import { REPORT_EVERY_MS } from '../../src/wire/report.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { EdgeContext } from '../exchange.ts'
import type { ConfigKeeper } from './config-keeper.ts'
import type { GuidanceKeeper } from './guidance-keeper.ts'
import { takeOriginOutcomes } from './origin-outcomes.ts'
import { PropertyRates } from './property-rates.ts'
import type { SchedulerClient } from './scheduler-client.ts'
import type { TrafficTotals } from './traffic.ts'
import type { Upstreams } from '../upstream/upstreams.ts'

/** However much there is to say. */
const REPORT_PAUSE_MIN_MS = 50

export interface ReporterParts {
  readonly keeper: ConfigKeeper
  readonly guidance: GuidanceKeeper
  readonly upstreams: Upstreams
}

export class Reporter {
  /** What the last exchange with the scheduler failed with; null when it went well. */
  failure: string | null = 'has not reported yet'
  private readonly client: SchedulerClient
  private readonly edge: EdgeContext
  private readonly server: HttpServer
  private readonly background: Background
  private readonly keeper: ConfigKeeper
  private readonly guidance: GuidanceKeeper
  private readonly upstreams: Upstreams
  private readonly startedMs: number
  private readonly stopping = new AbortController()
  /** Between two reports. */
  private pause = new AbortController()
  private hurried = false
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
    { keeper, guidance, upstreams }: ReporterParts,
  ) {
    this.client = client
    this.edge = edge
    this.server = server
    this.background = background
    this.keeper = keeper
    this.guidance = guidance
    this.upstreams = upstreams
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

  /** The next report is made now, not when a second has passed. */
  hurry(): void {
    this.hurried = true
    this.pause.abort()
  }

  private async loop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const begun = this.edge.clock.monotonic()
      this.hurried = false
      // oxlint-disable-next-line no-await-in-loop -- a clock's tick, one exchange each
      await this.exchange()
      const rest = REPORT_EVERY_MS - (this.edge.clock.monotonic() - begun)
      // oxlint-disable-next-line no-await-in-loop
      await this.rest(this.hurried ? REPORT_PAUSE_MIN_MS : Math.max(REPORT_PAUSE_MIN_MS, rest))
    }
  }

  private async rest(ms: number): Promise<void> {
    this.pause = new AbortController()
    const signal = AbortSignal.any([this.stopping.signal, this.pause.signal])
    await wait(ms, undefined, { signal }).catch(() => {})
  }

  private async exchange(): Promise<void> {
    try {
      const { keeper, edge } = this
      // An edge without configuration would refuse every client it is sent: it does not report before it was sent one.
      if (edge.table.version === '' && keeper.refusal === null) await keeper.take()
      const reply = await this.client.report(this.report())
      if (keeper.wants(reply.configVersion)) {
        await keeper.take()
        this.hurry()
      }
      await this.guidance.hear(reply.guidanceVersion, this.client)
      if (this.failure !== null) this.edge.log.info('reporting to the scheduler')
      this.failure = null
    } catch (error) {
      const failure = messageOf(error)
      this.guidance.unheard()
      // Once a cause, not once a second.
      if (failure !== this.failure) this.edge.log.error({ err: failure }, 'cannot report to the scheduler')
      this.failure = failure
    }
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
      state: this.stateNow(),
      version: VERSION,
      configVersion: edge.table.version,
      ...(this.keeper.refusal === null ? {} : { configRefused: this.keeper.refusal }),
      uptimeMs: Math.round(nowMs - this.startedMs),
      connections: this.server.connectionCount,
      requestRate: requests / seconds,
      sentBitRate: ((now.bodyBytes - this.lastTotals.bodyBytes) * 8) / seconds,
      hitRatio: requests === 0 ? null : hits / requests,
      memoryBytes: edge.cache.memory.bytes,
      diskBytes: edge.cache.disk.bytes,
      directories: edge.traffic.directories.take(sinceMs),
      properties: this.propertyRates.take(edge.table.reported, sinceMs),
      origins: takeOriginOutcomes(this.upstreams.states),
    }
    this.lastTotals = now
    this.lastMs = nowMs
    return report
  }

  /** One that could not run the only configuration that it was sent has nothing to serve. */
  private stateNow(): EdgeReport['state'] {
    if (this.draining || this.edge.table.version === '') return 'draining'
    return this.edge.cache.disk.degraded ? 'degraded' : 'up'
  }
}
