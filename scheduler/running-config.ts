// What a configuration is run as: topology, snapshot, demand, probes, DNS answers and the handler of clients, one for
// another. A new one is prepared aside; then one reference is swapped, in one turn, and what was known of edges that are
// still there goes on. Whoever serves a request reads the reference once. The listeners outlast it.
import assert from 'node:assert'
import type { Background } from '../src/background.ts'
import { systemRandom } from '../src/clock.ts'
import type { Clock } from '../src/clock.ts'
import { edgeConfigOf } from '../src/config/edge-config.ts'
import type { SchedulerSettings } from '../src/config/scheduler-schema.ts'
import type { WatchedPlaces } from '../src/geo/watched-places.ts'
import type { TransactionHandler } from '../src/http/transaction.ts'
import type { QuickHandler } from '../src/http1/quick.ts'
import type { Logger } from '../src/log.ts'
import type { EdgeConfig } from '../src/wire/edge-config.ts'
import type { SchedulerMetrics } from './admin/metrics.ts'
import { DemandTracker } from './choose/demand.ts'
import type { DnsAnswers, PreparedZones, SchedulerDns } from './dns/scheduler-dns.ts'
import type { EventLog } from './events/event-log.ts'
import { sampledDecisions } from './explain/decision-log.ts'
import { explainer } from './explaining.ts'
import { Filling, prepareFilling } from './filling.ts'
import type { FillingDeps, PreparedFilling } from './filling.ts'
import type { SecretStore } from './guidance/secret-store.ts'
import { Probes } from './health/probes.ts'
import type { ProbesOptions } from './health/probes.ts'
import { quickRedirects } from './quick-redirect.ts'
import type { Registry } from './registry/registry.ts'
import { SnapshotHolder } from './snapshot.ts'
import type { Snapshot, SnapshotSource } from './snapshot.ts'
import { steeringHandler } from './steering.ts'
import { buildTopology } from './topology.ts'
import type { Topology } from './topology.ts'

/** Checked and built, but for what only a running one has. */
export interface PreparedConfig {
  readonly topology: Topology
  readonly edgeConfig: EdgeConfig
  readonly filling: PreparedFilling
  /** null: there is no DNS. */
  readonly zones: PreparedZones | null
  readonly options: Pick<SchedulerSettings['scheduler'], 'probes' | 'accessLog' | 'decisionLog' | 'drain'>
}

/** Rejects with one line when a key file of DNS cannot be used. */
export async function prepareConfig(
  settings: SchedulerSettings,
  dns: SchedulerDns | null,
): Promise<PreparedConfig> {
  const { probes, accessLog, decisionLog, drain, steering, dns: zones } = settings.scheduler
  const topology = buildTopology(settings)
  return {
    topology,
    edgeConfig: edgeConfigOf(settings),
    filling: prepareFilling(settings, topology),
    zones:
      dns === null || zones === undefined
        ? null
        : await dns.prepare(zones, topology, steering.redirect === 'host'),
    options: { probes, accessLog, decisionLog, drain },
  }
}

export interface RunningConfig {
  readonly topology: Topology
  readonly edgeConfig: EdgeConfig
  readonly snapshots: SnapshotHolder
  readonly demand: DemandTracker
  readonly probes: Probes | null
  readonly filling: Filling
  readonly dns: DnsAnswers | null
  readonly handle: TransactionHandler
  /** Null where every answer is logged, or may be. */
  readonly quick: QuickHandler | null
  readonly explain: ReturnType<typeof explainer>
  readonly drainMs: number
}

export interface RunningDeps {
  readonly registry: Registry
  readonly events: EventLog
  readonly places: WatchedPlaces
  readonly dns: SchedulerDns | null
  readonly onProbe: ProbesOptions['onProbe']
  readonly secrets: SecretStore
  readonly originEvents: FillingDeps['originEvents']
  readonly metrics: SchedulerMetrics
  readonly clock: Clock
  readonly log: Logger
  readonly background: Background
}

/** Which configuration runs by now. Owns its timers and probes. */
export class Running implements SnapshotSource {
  /** Called with each snapshot; one listener. */
  onSnapshot: ((snapshot: Snapshot) => void) | null = null
  #now: RunningConfig | null = null

  get now(): RunningConfig {
    assert(this.#now !== null, 'a configuration was run before anything listened')
    return this.#now
  }

  get current(): Snapshot {
    return this.now.snapshots.current
  }

  /** From this turn on. */
  run(prepared: PreparedConfig, deps: RunningDeps): void {
    const before = this.#now
    const edges = prepared.topology.edges.map(({ id }) => id)
    deps.registry.setEdges(edges)
    deps.events.setEdges(edges)
    this.#now = runConfig(prepared, deps, before)
    const { snapshots, demand, filling } = this.#now
    const hear = (snapshot: Snapshot) => {
      demand.hear(snapshot, deps.clock.monotonic())
      filling.hear(snapshot)
      this.onSnapshot?.(snapshot)
    }
    snapshots.onReplace = hear
    hear(snapshots.current)
    if (before !== null) deps.background('end the configuration before', endConfig(before))
  }

  async close(): Promise<void> {
    if (this.#now !== null) await endConfig(this.#now)
  }
}

async function endConfig({ snapshots, probes, filling }: RunningConfig): Promise<void> {
  snapshots.close()
  filling.close()
  await probes?.close()
}

function runConfig(
  { topology, edgeConfig, filling, zones, options }: PreparedConfig,
  { registry, places, dns, onProbe, secrets, originEvents, metrics, clock, log, background }: RunningDeps,
  before: RunningConfig | null,
): RunningConfig {
  const { probes: probing } = options
  const probes =
    probing === false
      ? null
      : new Probes(
          {
            edges: topology.edges,
            everyMs: probing.every,
            timeoutMs: probing.timeout,
            heard: () => registry.seen(),
            onProbe,
            clock,
            log,
            background,
          },
          before?.probes,
        )
  const snapshots = new SnapshotHolder(
    topology,
    places.current,
    registry,
    { clock, log, probes },
    before?.snapshots,
  )
  const demand = before?.demand.movedTo(topology, before.topology) ?? DemandTracker.of(topology)
  return {
    topology,
    edgeConfig,
    snapshots,
    demand,
    probes,
    filling: new Filling(
      filling,
      {
        topology,
        snapshots,
        secrets,
        configVersion: edgeConfig.version,
        originEvents,
        clock,
        log,
        background,
      },
      before?.filling,
    ),
    dns: dns === null || zones === null ? null : dns.answersFrom(zones, { snapshots, demand }),
    handle: steeringHandler({
      snapshots,
      metrics,
      clock,
      background,
      demand,
      accessLog: options.accessLog ? log : null,
      decisionLog: sampledDecisions(options.decisionLog, log, systemRandom),
    }),
    quick:
      options.accessLog || options.decisionLog > 0
        ? null
        : quickRedirects({ snapshots, demand, metrics, clock }),
    explain: explainer({ snapshots, demand, clock }),
    drainMs: options.drain,
  }
}
