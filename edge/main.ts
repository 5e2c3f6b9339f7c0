// Wires an edge together: configuration, cache, fills, flow, listeners, reports. Nothing here decides.
import { setTimeout as wait } from 'node:timers/promises'
import { trustedProxiesOf } from '../src/access/client-address.ts'
import { compileAccess } from '../src/access/property-access.ts'
import { watchConfiguredPlaces } from '../src/geo/configured-places.ts'
import { countReloads } from '../src/geo/watched-places.ts'
import { backgroundRunner } from '../src/background.ts'
import type { Clock } from '../src/clock.ts'
import { ConfigError } from '../src/config/config-error.ts'
import { edgeConfigOf } from '../src/config/edge-config.ts'
import type { EdgeFileConfig } from '../src/config/load.ts'
import type { EdgeConfig } from '../src/wire/edge-config.ts'
import type { Daemon } from '../src/daemon.ts'
import { messageOf } from '../src/errors.ts'
import { closeService, listenService } from '../src/http-service.ts'
import { createHttpServer } from '../src/listener/http-server.ts'
import type { Logger } from '../src/log.ts'
import { createMetricsRegistry } from '../src/metrics.ts'
import { formatAuthority } from '../src/net/listen.ts'
import { loadListenerCertificates } from '../src/tls/listener-certificates.ts'
import { createAdmin } from './admin/admin.ts'
import { addPurgeRoute } from './admin/purge-route.ts'
import { BufferPool } from './cache/buffer-pool.ts'
import { Cache } from './cache/cache.ts'
import { Callbacks } from './callback/callbacks.ts'
import { registerCallbackMetrics } from './callback/callback-metrics.ts'
import { Events } from './callback/events.ts'
import { HookClient } from './callback/hook-client.ts'
import { CmcdMetrics } from './cmcd/cmcd-metrics.ts'
import { DiskTier } from './cache/disk/disk-tier.ts'
import { MemoryTier } from './cache/memory-tier.ts'
import type { EdgeContext } from './exchange.ts'
import { Fills } from './fill/fills.ts'
import { registerLimitMetrics } from './limits/limit-metrics.ts'
import { Limiter } from './limits/limiter.ts'
import { KnownPlaylists } from './playlist/known-playlists.ts'
import { formsBytesMax, PlaylistForms } from './playlist/playlist-forms.ts'
import { observePlaylists } from './playlist/playlist-observer.ts'
import { clientsNeedRoom } from './prefetch/jobs/clients-first.ts'
import { registerJobMetrics } from './prefetch/jobs/job-metrics.ts'
import { jobSource } from './prefetch/jobs/job-source.ts'
import { PrefetchJobs } from './prefetch/jobs/prefetch-jobs.ts'
import { Prefetcher } from './prefetch/prefetcher.ts'
import { registerVideoMetrics } from './prefetch/video-metrics.ts'
import { EventFollower } from './events/event-follower.ts'
import { PeerMetrics } from './peer/peer-metrics.ts'
import { NO_PEERING } from './peer/peering.ts'
import { EVENTS_CATCH_UP_MS } from './limits.ts'
import { registerPurgeMetrics } from './purge/purge-metrics.ts'
import { Purger } from './purge/purger.ts'
import { EMPTY_TABLE, buildPropertyTable } from './property/property-table.ts'
import { DenialMetrics } from './report/denial-metrics.ts'
import { registerEdgeMetrics } from './report/edge-metrics.ts'
import { ConfigKeeper } from './report/config-keeper.ts'
import { Reporter } from './report/reporter.ts'
import { GuidanceKeeper } from './report/guidance-keeper.ts'
import { HeldGuidance } from './report/held-guidance.ts'
import { unheard } from './report/unheard-guidance.ts'
import { loadSavedConfig, loadSavedGuidance } from './report/saved-config.ts'
import { SchedulerClient } from './report/scheduler-client.ts'
import { Traffic } from './report/traffic.ts'
import { handleTransaction } from './request-flow.ts'
import { registerUpstreamMetrics } from './upstream/upstream-metrics.ts'
import { Upstreams } from './upstream/upstreams.ts'

/** After `draining` was reported: clients that were redirected just before it may still arrive. */
const LINGER_MS = 500

export async function startEdge(
  config: EdgeFileConfig,
  deps: { clock: Clock; log: Logger },
): Promise<Daemon> {
  const { clock, log } = deps
  const { settings } = config
  const tls = await loadListenerCertificates(settings.tls, config.file, 'tls', { clock, log })
  const background = backgroundRunner(log)
  const registry = createMetricsRegistry()
  const places = asksForPlaces(config)
    ? await watchConfiguredPlaces(settings.geoip, config.file, 'geoip', {
        log,
        onReload: countReloads(registry, 'edge'),
      })
    : null
  const upstreams = new Upstreams({ clock, edgeId: settings.id, lastEvent: () => purger.applied })
  const cache = openCache(config, log, background)
  const knownPlaylists = new KnownPlaylists()
  const fills = new Fills(
    cache,
    upstreams,
    clock,
    settings.cache.slice,
    settings.id,
    observePlaylists(knownPlaylists, (id) => edge.table.index.findById(id)?.playlists),
  )
  const hooks = new HookClient()
  const events = new Events({
    edgeId: settings.id,
    client: hooks,
    clock,
    background,
    settingsOf: (id) => edge.table.index.findById(id)?.events,
  })
  let draining = false
  let table = EMPTY_TABLE
  const edge: EdgeContext = {
    id: settings.id,
    get draining() {
      return draining
    },
    clock,
    cache,
    fills,
    traffic: new Traffic(registry),
    log,
    accessLog: settings.accessLog,
    background,
    knownPlaylists,
    prefetcher: new Prefetcher(cache, fills, clock, background),
    cmcd: new CmcdMetrics(registry),
    denials: new DenialMetrics(registry),
    limiter: new Limiter(clock, events),
    callbacks: new Callbacks(hooks, clock, log),
    events,
    peering: NO_PEERING,
    peers: new PeerMetrics(registry),
    trustedProxies: trustedProxiesOf(settings.trustedProxies),
    get places() {
      return places?.current ?? null
    },
    playlistForms: new PlaylistForms(formsBytesMax(settings.cache.memory)),
    get table() {
      return table
    },
    set table(next) {
      table = next
      upstreams.use(next.origins)
    },
  }
  const server = createHttpServer({
    clock,
    handler: (transaction) => handleTransaction(edge, transaction),
    connectionsPerAddressMax: settings.connectionsPerAddress,
    tls,
  })
  tls?.watch(server)
  registerEdgeMetrics(registry, edge, server, tls)
  registerVideoMetrics(registry, edge)
  registerUpstreamMetrics(registry, upstreams)
  registerLimitMetrics(registry, edge.limiter)
  registerCallbackMetrics(registry, edge.callbacks, events)
  const directory = settings.cache.directories[0]?.path ?? null
  const saved = directory === null ? undefined : await loadSavedConfig(directory, log)
  const purger = await Purger.open(directory, cache.disk.fresh, {
    rules: cache.purges,
    landing: fills.landing,
    clock,
    log,
    onApply: registerPurgeMetrics(registry, cache.purges),
  })
  const isBusy = () => clientsNeedRoom(upstreams.states, cache.disk)
  const guided = new HeldGuidance((guidance) => upstreams.guide(guidance))
  const guidance = directory === null ? undefined : await loadSavedGuidance(directory, log)
  if (guidance !== undefined) guided.replace(unheard(guidance))
  const joining = { server, background, directory, saved, guided, purger, registry, isBusy, upstreams }
  const cluster = takeConfiguration(config, edge, joining)
  // What this edge finds others should hear of before they ask there.
  upstreams.onOpen = () => cluster?.reporter.hurry()
  // What was purged while this edge was away must not be served by it.
  await cluster?.follower.catchUp(EVENTS_CATCH_UP_MS)

  const notReady = () => {
    if (draining) return 'draining'
    return edge.table.version === '' ? `no configuration yet: ${cluster?.reporter.failure ?? 'none'}` : null
  }
  const admin = createAdmin(log, registry, notReady)
  addPurgeRoute(admin, purger, (id) => edge.table.index.findById(id) !== undefined)
  const port = await server.listen(settings.listen, 'listen')
  const adminUrl = await listenService(admin, settings.admin, 'admin')
  cluster?.reporter.start()
  cluster?.follower.start(background)
  cluster?.prefetches.start()

  return {
    listeners: {
      public: `${tls === undefined ? 'http' : 'https'}://${formatAuthority(settings.listen.host, port)}`,
      admin: adminUrl,
    },
    async reload() {
      await Promise.all([places?.reload(), tls?.reload()])
    },
    async drain() {
      draining = true
      if (cluster !== null) {
        await cluster.reporter.drain()
        await wait(LINGER_MS)
      }
      await cluster?.prefetches.close()
      await server.drain(settings.drain)
      await cluster?.follower.close()
      await purger.close()
      edge.limiter.close()
      await events.close()
      await hooks.close()
      tls?.close()
      places?.close()
      await upstreams.close()
      await cache.disk.close()
      await closeService(admin, 1000)
    },
  }
}

function openCache(
  config: EdgeFileConfig,
  log: Logger,
  background: ReturnType<typeof backgroundRunner>,
): Cache {
  const { cache } = config.settings
  const pool = new BufferPool()
  let opening = 0
  try {
    const disk = new DiskTier(cache.directories, pool, log, background, (index) => (opening = index))
    return new Cache(new MemoryTier(cache.memory), disk, pool, cache.slice)
  } catch (error) {
    const path = `cache.directories[${opening}].path`
    throw new ConfigError(config.file, [{ path, line: null, message: `cannot be used: ${messageOf(error)}` }])
  }
}

/** What a scheduler will send is not known yet; a file that asks for no country saves its memory. */
function asksForPlaces(config: EdgeFileConfig): boolean {
  if (config.mode === 'joined') return true
  return config.settings.properties.some((property) => {
    const { rules } = compileAccess(property, property.access)
    return property.callback !== undefined || rules?.needsPlaces === true || rules?.needsAsns === true
  })
}

interface Joining {
  readonly server: ReturnType<typeof createHttpServer>
  readonly background: ReturnType<typeof backgroundRunner>
  readonly directory: string | null
  readonly saved: EdgeConfig | undefined
  readonly guided: HeldGuidance
  readonly purger: Purger
  readonly registry: ReturnType<typeof createMetricsRegistry>
  /** Prefetches have to wait. */
  readonly isBusy: () => boolean
  readonly upstreams: Upstreams
}

/** A standalone edge has its configuration; a joined one starts from what it last had, reports, and follows events. */
function takeConfiguration(
  config: EdgeFileConfig,
  edge: EdgeContext,
  { server, background, directory, saved, guided, purger, registry, isBusy, upstreams }: Joining,
): { reporter: Reporter; follower: EventFollower; prefetches: PrefetchJobs } | null {
  if (config.mode === 'standalone') {
    edge.table = buildPropertyTable(edgeConfigOf(config.settings), edge.id)
    return null
  }
  if (saved !== undefined) edge.table = buildPropertyTable(saved, edge.id)
  const { scheduler, key } = config.settings
  const reports = new SchedulerClient(scheduler, key)
  const keeper = new ConfigKeeper({ source: reports, edge, directory })
  const { clock, log } = edge
  const guidance = new GuidanceKeeper({ edgeId: edge.id, holder: guided, clock, log, background, directory })
  const reporter = new Reporter(reports, edge, server, background, { keeper, guidance, upstreams })
  // A client of its own: who holds its questions says nothing of who takes reports.
  const client = new SchedulerClient(scheduler, key)
  const source = {
    events: (after: string, hold: boolean, signal: AbortSignal) =>
      client.events(edge.id, after, hold, signal),
  }
  const takeConfig = async (version: number) => {
    // A scheduler that does not answer now is asked again by the next report.
    await keeper.take(version).catch(() => {})
    reporter.hurry()
  }
  const takeGuidance = (version: string) => guidance.hear(version, client).catch(() => {})
  const onConfig = (version: number) => background('take a configuration', takeConfig(version))
  const prefetches: PrefetchJobs = new PrefetchJobs({
    edge,
    source: jobSource(client, edge.id),
    background,
    isBusy,
    counters: registerJobMetrics(registry, () => prefetches.running),
  })
  const follower = new EventFollower(source, purger, edge.log, {
    onConfig,
    onGuidance: (version) => background('take guidance', takeGuidance(version)),
    onPrefetch: (ids) => prefetches.hear(ids),
  })
  edge.peering = {
    get secrets() {
      return guided.current?.secrets ?? []
    },
    holds: (event) => follower.holds(event),
    reach: (event) => follower.reach(event),
  }
  reports.onBack = () => follower.askAgain()
  return { reporter, follower, prefetches }
}
