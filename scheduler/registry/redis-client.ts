// The connection to Redis as the configuration describes it: one server, the primary that sentinels name, or a
// Cluster. It never queues: what cannot be sent now fails now. Passwords are masked in whatever is said of errors.
import { Cluster, Redis } from 'ioredis'
import type { RedisKeys, RedisSettings } from '../../src/config/redis-schema.ts'
import { messageOf } from '../../src/errors.ts'
import { REGISTRY_RECONNECT_MAX_MS, REGISTRY_TIMEOUT_MS } from '../limits.ts'

export type RedisClient = Redis | Cluster

export interface RedisTarget {
  settings: RedisSettings
  /** Content of `redis.ca`. */
  ca?: string | undefined
}

interface Secured {
  tls?: { ca?: string }
}

/** Not connected yet. */
export function createRedisClient({ settings, ca }: RedisTarget): RedisClient {
  const keys = keysOf(settings)
  const url = keys.url === undefined ? undefined : new URL(keys.url)
  const isSecure = keys.tls === true || url?.protocol === 'rediss:'
  const secured: Secured = isSecure ? { tls: ca === undefined ? {} : { ca } } : {}
  const common = { ...COMMON, ...secured, ...credentialsOf(keys, url) }
  if (keys.cluster !== undefined) return clusterOf(keys.cluster, common)
  if (keys.sentinels !== undefined) {
    return new Redis({
      ...common,
      ...ALONE,
      sentinels: keys.sentinels,
      name: keys.name ?? '',
      sentinelCommandTimeout: REGISTRY_TIMEOUT_MS,
      sentinelRetryStrategy: pauseBefore,
      ...(keys.sentinelPassword === undefined ? {} : { sentinelPassword: keys.sentinelPassword }),
      ...(secured.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: secured.tls }),
    })
  }
  return new Redis({
    ...common,
    ...ALONE,
    host: (url?.hostname ?? '').replaceAll(/[[\]]/g, ''),
    port: url === undefined || url.port === '' ? 6379 : Number(url.port),
    db: Number(url?.pathname.slice(1) ?? 0),
  })
}

/** What is wrong, in words that hold no password. */
export function redisProblem(error: unknown, { settings }: RedisTarget): string {
  const keys = keysOf(settings)
  const { password } = credentialsOf(keys, keys.url === undefined ? undefined : new URL(keys.url))
  // "Failed to refresh slots cache" says nothing; what the last node said does.
  const last = error instanceof Error && 'lastNodeError' in error ? error.lastNodeError : undefined
  let text = last instanceof Error ? `${messageOf(error)} ${messageOf(last)}` : messageOf(error)
  for (const secret of [password, keys.sentinelPassword, keys.url]) {
    if (secret !== undefined && secret !== '') text = text.replaceAll(secret, '***')
  }
  return text
}

const COMMON = {
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 1,
  connectTimeout: REGISTRY_TIMEOUT_MS,
  connectionName: 'edgeward-scheduler',
  // After a failover this connection may lead to what is a replica by now.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
}

const ALONE = { lazyConnect: true, enableOfflineQueue: false, retryStrategy: pauseBefore }

type Common = typeof COMMON & Secured & ReturnType<typeof credentialsOf>

function clusterOf(nodes: RedisKeys['cluster'] & object, redisOptions: Common): Cluster {
  return new Cluster(nodes, {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: pauseBefore,
    maxRedirections: 4,
    slotsRefreshTimeout: REGISTRY_TIMEOUT_MS,
    // Certificates are checked against the name that is configured, not against what it resolves to.
    ...(redisOptions.tls === undefined
      ? {}
      : { dnsLookup: (name: string, done: (error: null, address: string) => void) => done(null, name) }),
  })
}

function pauseBefore(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), REGISTRY_RECONNECT_MAX_MS)
}

function keysOf(settings: RedisSettings): RedisKeys {
  return typeof settings === 'string' ? { url: settings } : settings
}

function credentialsOf(keys: RedisKeys, url: URL | undefined): { username?: string; password?: string } {
  const username = keys.username ?? decodeURIComponent(url?.username ?? '')
  const password = keys.password ?? decodeURIComponent(url?.password ?? '')
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) }
}
