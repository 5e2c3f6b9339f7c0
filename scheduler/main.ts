// The scheduler daemon: wires configuration, GeoIP, registry, snapshot and its listeners, and drains them in order.
import { backgroundRunner } from '../src/background.ts'
import { systemRandom } from '../src/clock.ts'
import type { Clock } from '../src/clock.ts'
import { edgeConfigOf } from '../src/config/edge-config.ts'
import { formatProblem } from '../src/config/config-error.ts'
import type { SchedulerConfig } from '../src/config/load.ts'
import type { Daemon } from '../src/daemon.ts'
import { createHttpServer } from '../src/listener/http-server.ts'
import type { Logger } from '../src/log.ts'
import { createMetricsRegistry } from '../src/metrics.ts'
import { formatAuthority } from '../src/net/listen.ts'
import { returnGarbage } from '../src/small-heap.ts'
import { createAdmin } from './admin/admin.ts'
import { createSchedulerMetrics } from './admin/metrics.ts'
import { registerOverflowMetrics } from './admin/overflow-metrics.ts'
import { readinessOf, readyForGood } from './admin/readiness.ts'
import type { Lifecycle } from './admin/readiness.ts'
import { DemandTracker } from './choose/demand.ts'
import { openDns } from './dns/open-dns.ts'
import { createControl } from './control/control.ts'
import { closeService, listenService } from '../src/http-service.ts'
import { watchConfiguredPlaces } from '../src/geo/configured-places.ts'
import { countReloads } from '../src/geo/watched-places.ts'
import { loadListenerCertificates } from '../src/tls/listener-certificates.ts'
import { openEventLog } from './events/open-event-log.ts'
import { explainer } from './explaining.ts'
import { sampledDecisions } from './explain/decision-log.ts'
import { AwakeClock } from './health/awake-clock.ts'
import { openProbes } from './health/open-probes.ts'
import { openRegistry } from './registry/open.ts'
import { SnapshotHolder } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'
import { steeringHandler } from './steering.ts'
import { buildTopology } from './topology.ts'

export interface SchedulerDeps {
  clock: Clock
  log: Logger
}

/** Resolves when all listeners listen. What was opened is closed again when a later part fails. */
export async function startScheduler(
  config: SchedulerConfig,
  { clock: systemClock, log }: SchedulerDeps,
): Promise<Daemon> {
  await using opened = new AsyncDisposableStack()
  const clock = new AwakeClock(systemClock)
  opened.defer(() => clock.close())
  const { settings } = config
  const { steering, control, admin, drain } = settings.scheduler
  const topology = buildTopology(settings)
  // Before the GeoIP files, which are larger than what it gives back.
  returnGarbage()
  for (const warning of config.warnings) log.warn(formatProblem(config.file, warning))
  const promRegistry = createMetricsRegistry()
  const places = await watchConfiguredPlaces(settings.scheduler.geoip, config.file, 'scheduler.geoip', {
    log,
    onReload: countReloads(promRegistry, 'scheduler'),
  })
  opened.defer(() => places.close())
  const background = backgroundRunner(log)
  const registry = await openRegistry(config, { clock, log, background })
  opened.defer(() => registry.close())
  const events = await openEventLog(config, { clock, log, background })
  opened.defer(() => events.close())
  const probes = openProbes(settings, topology, { clock, log, background, promRegistry, registry })
  opened.defer(() => probes?.close())
  const snapshots = new SnapshotHolder(topology, places.current, registry, { clock, log, probes })
  opened.defer(() => snapshots.close())
  places.onReplace = (next) => snapshots.replacePlaces(next)

  const metrics = createSchedulerMetrics(promRegistry, { snapshots, registry, clock })
  const lifecycle: Lifecycle = { listeningSinceMs: null, draining: false }
  const edgeConfig = edgeConfigOf(settings)

  const demand = new DemandTracker({
    edges: topology.edges.length,
    sites: topology.sites.length,
    properties: settings.properties.length,
  })
  const hear = (snapshot: Snapshot) => demand.hear(snapshot, clock.monotonic())
  hear(snapshots.current)
  snapshots.onReplace = hear
  registerOverflowMetrics(promRegistry, { topology, demand, clock })
  const ready = readyForGood(() => readinessOf(lifecycle, snapshots.current, clock.monotonic()).ready)
  const dns =
    settings.scheduler.dns === undefined
      ? null
      : await openDns(settings.scheduler.dns, {
          snapshots,
          demand,
          clock,
          log,
          promRegistry,
          isReady: ready,
          schedulers: () => registry.schedulers(),
          isHostForm: steering.redirect === 'host',
        })
  opened.defer(() => dns?.server.close())
  const adminService = createAdmin({
    promRegistry,
    snapshots,
    registry,
    events,
    explain: explainer({ snapshots, demand, clock }),
    explainDns: dns?.explain ?? null,
    lifecycle,
    clock,
    log,
  })
  opened.defer(() => closeService(adminService, 0))
  const adminUrl = await listenService(adminService, admin.listen, 'scheduler.admin.listen')

  const controlService = createControl({
    topology,
    registry,
    edgeConfig,
    events,
    background,
    metrics,
    clock,
    log,
  })
  opened.defer(() => closeService(controlService, 0))
  const controlUrl = await listenService(controlService, control.listen, 'scheduler.control.listen')

  const accessLog = settings.scheduler.accessLog ? log : null
  const handler = steeringHandler({
    snapshots,
    metrics,
    clock,
    background,
    demand,
    accessLog,
    decisionLog: sampledDecisions(settings.scheduler.decisionLog, log, systemRandom),
  })
  // Before DNS listens: that there is no scheduler would be kept for its negative TTL.
  registry.announce(settings.scheduler.dns?.schedulers?.addresses ?? [])
  await dns?.listen()
  const tls = await loadListenerCertificates(steering.tls, config.file, 'scheduler.steering.tls', {
    clock,
    log,
  })
  opened.defer(() => tls?.close())
  const steeringServer = createHttpServer({ handler, clock, tls })
  tls?.watch(steeringServer)
  opened.defer(() => steeringServer.drain(0))
  const port = await steeringServer.listen(steering.listen, 'scheduler.steering.listen')
  lifecycle.listeningSinceMs = clock.monotonic()
  opened.move()

  return {
    listeners: {
      steering: `${tls === undefined ? 'http' : 'https'}://${formatAuthority(steering.listen.host, port)}`,
      control: controlUrl,
      admin: adminUrl,
      ...(dns === null ? {} : { dns: dns.server.addresses.join(' ') }),
    },
    async reload() {
      await Promise.all([places.reload(), tls?.reload()])
    },
    async drain() {
      lifecycle.draining = true
      // First of all: resolvers keep for a while what they were told.
      await registry.withdraw()
      // Reports go on being taken while the last clients are answered; /readyz says `draining` to the end.
      await steeringServer.drain(drain)
      await dns?.server.close()
      tls?.close()
      places.close()
      await closeService(controlService, drain)
      await events.close()
      snapshots.close()
      await probes?.close()
      await registry.close()
      await closeService(adminService, drain)
      clock.close()
    },
  }
}
