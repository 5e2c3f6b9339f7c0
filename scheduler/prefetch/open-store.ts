// The store of prefetches that the configuration asks for: in Redis where the registry is, else in memory.
import type { Clock } from '../../src/clock.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import { redisOf } from '../registry/open.ts'
import { MemoryPrefetchStore } from './memory-store.ts'
import type { PrefetchStore } from './prefetch-store.ts'

/** Throws ConfigError for a file that cannot be read. */
export async function openPrefetchStore(config: SchedulerConfig, clock: Clock): Promise<PrefetchStore> {
  const redis = await redisOf(config)
  if (redis === undefined) return new MemoryPrefetchStore(clock)
  const { RedisPrefetchStore } = await import('./redis-store.ts')
  return new RedisPrefetchStore(redis, config.settings.cluster, clock)
}
