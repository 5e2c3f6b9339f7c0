// The registry that the configuration asks for: in Redis where `scheduler.redis` is set, else in memory.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import { messageOf, systemCode } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { MemoryRegistry } from './memory.ts'
import type { RedisTarget } from './redis-client.ts'
import type { Registry } from './registry.ts'

export interface RegistryDeps {
  clock: Clock
  log: Logger
  background: Background
}

/** Resolves in bounded time, with Redis or without. Throws ConfigError for a file that cannot be read. */
export async function openRegistry(config: SchedulerConfig, deps: RegistryDeps): Promise<Registry> {
  const redis = await redisOf(config)
  if (redis === undefined) return new MemoryRegistry(deps.clock)
  // Only now, as in all that can be kept in Redis: a scheduler without it does not load the client.
  const { RedisRegistry } = await import('./redis.ts')
  const { cluster, edges } = config.settings
  return RedisRegistry.open({ redis, cluster, edges: edges.map(({ id }) => id), ...deps })
}

/** undefined: this scheduler shares nothing. Throws ConfigError for a file that cannot be read. */
export async function redisOf(config: SchedulerConfig): Promise<RedisTarget | undefined> {
  const { redis } = config.settings.scheduler
  if (redis === undefined) return undefined
  const ca = typeof redis === 'string' || redis.ca === undefined ? undefined : await readCa(config, redis.ca)
  return { settings: redis, ca }
}

async function readCa({ file, directory }: SchedulerConfig, name: string): Promise<string> {
  const ca = path.resolve(directory, name)
  const problem = (message: string) =>
    new ConfigError(file, [{ path: 'scheduler.redis.ca', line: null, message: `${ca} ${message}` }])
  let text: string
  try {
    text = await readFile(ca, 'utf8')
  } catch (error) {
    throw problem(systemCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(error)}`)
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw problem('holds no PEM certificate')
  return text
}
