// The log of events that the configuration asks for: in Redis where the registry is, else in memory.
import type { SchedulerConfig } from '../../src/config/load.ts'
import { redisOf } from '../registry/open.ts'
import type { RegistryDeps } from '../registry/open.ts'
import type { EventLog } from './event-log.ts'
import { MemoryEventLog } from './memory-log.ts'

/** Resolves in bounded time, with Redis or without. Throws ConfigError for a file that cannot be read. */
export async function openEventLog(config: SchedulerConfig, deps: RegistryDeps): Promise<EventLog> {
  const redis = await redisOf(config)
  if (redis === undefined) return new MemoryEventLog(deps.clock)
  const { RedisEventLog } = await import('./redis-log.ts')
  const { cluster, edges } = config.settings
  return RedisEventLog.open({ redis, cluster, edges: edges.map(({ id }) => id), ...deps })
}
