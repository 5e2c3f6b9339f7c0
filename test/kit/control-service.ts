// The control service of a scheduler in this process, with a registry of its own.
import { silentLogger } from '../../src/log.ts'
import { createMetricsRegistry } from '../../src/metrics.ts'
import { createSchedulerMetrics } from '../../scheduler/admin/metrics.ts'
import { MemoryEventLog } from '../../scheduler/events/memory-log.ts'
import { backgroundRunner } from '../../src/background.ts'
import { createControl } from '../../scheduler/control/control.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { SnapshotHolder } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import { fillingOf } from './filling.ts'
import { memoryPrefetches } from './prefetches.ts'
import { StillClock, keyOf, schedulerSettings } from './scheduler.ts'
import { recordingLog } from './recording-log.ts'
import type { TestScope } from './scope.ts'
import { uniformPlaces } from './made-places.ts'

export function controlOf(t: TestScope, over: Record<string, unknown> = {}) {
  const settings = schedulerSettings(over)
  const topology = buildTopology(settings)
  const clock = new StillClock()
  const registry = new MemoryRegistry(clock)
  const snapshots = new SnapshotHolder(topology, uniformPlaces(), registry, {
    clock,
    log: silentLogger,
    probes: null,
  })
  t.teardown(() => snapshots.close())
  const prom = createMetricsRegistry()
  const metrics = createSchedulerMetrics(prom, { snapshots, registry, clock })
  const { log, lines } = recordingLog()
  const edgeConfig = edgeConfigOf(settings)
  const filling = fillingOf(t, settings, { topology, snapshots, clock })
  const service = createControl({
    running: { now: { topology, edgeConfig, filling } },
    untilRuns: async () => {},
    registry,
    events: new MemoryEventLog(clock),
    prefetches: memoryPrefetches(clock, snapshots),
    background: backgroundRunner(log),
    metrics,
    clock,
    log,
  })
  t.teardown(() => service.close())
  const report = (key: string | undefined, payload: string | object) =>
    service.inject({
      method: 'POST',
      url: '/edge/v1/report',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      payload,
    })
  const config = (headers: Record<string, string> = {}) =>
    service.inject({
      url: '/edge/v1/config',
      headers: { authorization: `Bearer ${keyOf('gz-1')}`, ...headers },
    })
  const counted = async (result: string) =>
    new RegExp(`reports_total\\{result="${result}"\\} (\\d+)`).exec(await prom.metrics())?.[1] ?? '0'
  return { registry, report, config, counted, lines, clock, edgeConfig, filling, snapshots, service }
}
