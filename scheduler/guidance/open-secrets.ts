// The secrets of edges as the configuration asks for: shared in Redis where the registry is, else of this process.
import type { SchedulerConfig } from '../../src/config/load.ts'
import { redisOf } from '../registry/open.ts'
import type { RegistryDeps } from '../registry/open.ts'
import { MemorySecrets } from './memory-secrets.ts'
import type { SecretStore } from './secret-store.ts'

/** Resolves in bounded time, with Redis or without. Throws ConfigError for a file that cannot be read. */
export async function openSecrets(config: SchedulerConfig, deps: RegistryDeps): Promise<SecretStore> {
  const redis = await redisOf(config)
  if (redis === undefined) return new MemorySecrets(deps.clock)
  const { RedisSecrets } = await import('./redis-secrets.ts')
  return RedisSecrets.open({ redis, cluster: config.settings.cluster, ...deps })
}
