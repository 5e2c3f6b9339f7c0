// The scheduler daemon: wires configuration, GeoIP, registry, snapshot and its listeners, and drains them in order.
import { backgroundRunner } from '../src/background.ts'
import type { Clock } from '../src/clock.ts'
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
import { openDns } from './dns/scheduler-dns.ts'
import { createControl } from './control/control.ts'
import { closeService, listenService } from '../src/http-service.ts'
import { watchConfiguredPlaces } from '../src/geo/configured-places.ts'
import { countReloads } from '../src/geo/watched-places.ts'
import { loadListenerCertificates } from '../src/tls/listener-certificates.ts'
import { openEventLog } from './events/open-event-log.ts'
import { AwakeClock } from './health/awake-clock.ts'
import { countProbes } from './health/probe-counter.ts'
import { openPrefetchStore } from './prefetch/open-store.ts'
import { Prefetches } from './prefetch/prefetches.ts'
import { Warmer } from './prefetch/warmer.ts'
import { openSecrets } from './guidance/open-secrets.ts'
import { registerOriginMetrics } from './origin/origin-metrics.ts'
import { openRegistry } from './registry/open.ts'
import { EdgeAcknowledgements } from './rollout/edge-rollout.ts'
import { openRollout } from './rollout/open-rollout.ts'
import { registerRolloutGauges } from './rollout/rollout-metrics.ts'
import { logResult } from './rollout/rollout-result.ts'
import { Running, prepareConfig } from './running-config.ts'

export interface SchedulerDeps {
  clock: Clock
  log: Logger
}

/** Resolves when all listeners listen. What was opened is closed again when a later part fails. */
export async function startScheduler(
  started: SchedulerConfig,
  { clock: systemClock, log }: SchedulerDeps,
): Promise<Daemon> {
  await using opened = new AsyncDisposableStack()
  const clock = new AwakeClock(systemClock)
  opened.defer(() => clock.close())
  const promRegistry = createMetricsRegistry()
  const background = backgroundRunner(log)
  const registry = await openRegistry(started, { clock, log, background })
  opened.defer(() => registry.close())
  const events = await openEventLog(started, { clock, log, background })
  opened.defer(() => events.close())
  const secrets = await openSecrets(started, { clock, log, background })
  opened.defer(() => secrets.close())
  const { env } = process
  const rolling = { events, env, clock, log, background, promRegistry }
  const { rollout, config } = await openRollout(started, rolling)
  opened.defer(() => rollout.close())
  const { settings } = config
  const { steering, control, admin } = settings.scheduler
  for (const warning of config.warnings) log.warn(formatProblem(config.file, warning))

  const running = new Running()
  opened.defer(() => running.close())
  const lifecycle: Lifecycle = { listeningSinceMs: null, draining: false }
  const dns = openDns(settings.scheduler.dns, {
    running,
    clock,
    log,
    promRegistry,
    isReady: readyForGood(() => readinessOf(lifecycle, running.current, clock.monotonic()).ready),
    schedulers: () => registry.schedulers(),
  })
  opened.defer(() => dns?.server.close())
  const metrics = createSchedulerMetrics(promRegistry, { snapshots: running, registry, clock })
  registerOverflowMetrics(promRegistry, { running, clock })
  const onProbe = countProbes(promRegistry)
  const originEvents = registerOriginMetrics(promRegistry, running)
  const prepared = await prepareConfig(settings, dns)
  // Before the GeoIP files, which are larger than what it gives back.
  returnGarbage()
  const places = await watchConfiguredPlaces(settings.scheduler.geoip, config.file, 'scheduler.geoip', {
    log,
    onReload: countReloads(promRegistry, 'scheduler'),
  })
  opened.defer(() => places.close())
  const runningDeps = {
    registry,
    events,
    secrets,
    places,
    dns,
    onProbe,
    originEvents,
    metrics,
    clock,
    log,
    background,
  }
  const acknowledged = new EdgeAcknowledgements()
  running.onSnapshot = (snapshot) => acknowledged.hear(snapshot, clock.monotonic(), clock.now())
  running.run(prepared, runningDeps)
  places.onReplace = (next) => running.now.snapshots.replacePlaces(next)
  registerRolloutGauges(promRegistry, { running, rollout, acknowledged, clock })

  const prefetchStore = await openPrefetchStore(started, clock)
  opened.defer(() => prefetchStore.close())
  const prefetches = new Prefetches({ store: prefetchStore, events, snapshots: running, clock, log })
  const warmer = new Warmer({ prefetches, snapshots: running, clock, log })
  opened.defer(() => warmer.close())

  const adminService = createAdmin({
    cluster: settings.cluster,
    promRegistry,
    snapshots: running,
    registry,
    events,
    prefetches,
    rollout: { running, rollout, acknowledged, clock, log },
    filling: running,
    explain: (inquiry) => running.now.explain(inquiry),
    explainDns: dns === null ? null : (inquiry) => dns.explain(inquiry),
    lifecycle,
    clock,
    log,
  })
  opened.defer(() => closeService(adminService, 0))
  const adminUrl = await listenService(adminService, admin.listen, 'scheduler.admin.listen')

  const controlService = createControl({
    running,
    untilRuns: (version) => rollout.untilRuns(version),
    registry,
    events,
    prefetches,
    background,
    metrics,
    clock,
    log,
  })
  opened.defer(() => closeService(controlService, 0))
  const controlUrl = await listenService(controlService, control.listen, 'scheduler.control.listen')

  // Before DNS listens: that there is no scheduler would be kept for its negative TTL.
  registry.announce(settings.scheduler.dns?.schedulers?.addresses ?? [])
  await dns?.listen()
  const tls = await loadListenerCertificates(steering.tls, config.file, 'scheduler.steering.tls', {
    clock,
    log,
  })
  opened.defer(() => tls?.close())
  const steeringServer = createHttpServer({
    handler: (transaction) => running.now.handle(transaction),
    quick: (head, peer, reply) => running.now.quick?.(head, peer, reply) ?? false,
    clock,
    tls,
  })
  tls?.watch(steeringServer)
  opened.defer(() => steeringServer.drain(0))
  const port = await steeringServer.listen(steering.listen, 'scheduler.steering.listen')
  lifecycle.listeningSinceMs = clock.monotonic()
  rollout.follow(async (next) => {
    const ready = await prepareConfig(next.settings, dns)
    for (const warning of next.warnings) log.warn(formatProblem(next.file, warning))
    return () => running.run(ready, runningDeps)
  })
  warmer.start(background)
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
      logResult(log, await rollout.apply('signal'))
    },
    async drain() {
      lifecycle.draining = true
      rollout.close()
      // First of all: resolvers keep for a while what they were told.
      await registry.withdraw()
      await warmer.close()
      // Reports go on being taken while the last clients are answered; /readyz says `draining` to the end.
      const { drainMs } = running.now
      await steeringServer.drain(drainMs)
      await dns?.server.close()
      tls?.close()
      places.close()
      await closeService(controlService, drainMs)
      await events.close()
      await prefetchStore.close()
      await running.close()
      await secrets.close()
      await registry.close()
      await closeService(adminService, drainMs)
      clock.close()
    },
  }
}
