// Opens the rollout of a scheduler that starts: its versions, in Redis where the registry is, else in memory; and what it
// is to run.
import type { Registry as PromRegistry } from 'prom-client'
import type { SchedulerConfig } from '../../src/config/load.ts'
import type { EventLog } from '../events/event-log.ts'
import { redisOf } from '../registry/open.ts'
import type { RegistryDeps } from '../registry/open.ts'
import type { ReadConfig } from './read-config.ts'
import { MemoryVersions } from './memory-versions.ts'
import { countRollouts } from './rollout-metrics.ts'
import { Rollout } from './rollout.ts'
import type { VersionStore } from './version-store.ts'

export interface OpenRolloutDeps extends RegistryDeps {
  readonly events: EventLog
  readonly env: NodeJS.ProcessEnv
  readonly promRegistry: PromRegistry
}

/** Resolves in bounded time, with Redis or without. Throws ConfigError for a file that cannot be read. */
export async function openRollout(
  started: SchedulerConfig,
  { promRegistry, ...deps }: OpenRolloutDeps,
): Promise<{ rollout: Rollout; config: ReadConfig }> {
  const store = await openVersions(started, deps)
  const rollout = new Rollout(started, { ...deps, store, onResult: countRollouts(promRegistry) })
  return { rollout, config: await rollout.begin(started) }
}

async function openVersions(
  config: SchedulerConfig,
  { clock, log, background }: RegistryDeps,
): Promise<VersionStore> {
  const redis = await redisOf(config)
  if (redis === undefined) return new MemoryVersions(clock)
  const { RedisVersions } = await import('./redis-versions.ts')
  return RedisVersions.open({ redis, cluster: config.settings.cluster, clock, log, background })
}
