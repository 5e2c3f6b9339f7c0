// What an edge serves from, built from the settings: by the scheduler for GET /edge/v1/config, and by a
// standalone edge for itself. The version changes exactly when something an edge needs does.
import { createHash } from 'node:crypto'
import type { EdgeConfig, WireOrigin, WireProperty } from '../wire/edge-config.ts'
import type { OriginSettings } from './origin-schema.ts'
import type { PropertySettings } from './property-schema.ts'

/** A property of either file; what only a cluster's has is left out in the other. */
type AnyPropertySettings = Omit<PropertySettings, 'origins'> & {
  readonly overflow?: object | undefined
  readonly contentSteering?: object | undefined
  readonly origins: readonly (PropertySettings['origins'][number] & { readonly sites?: string[] })[]
}

export function edgeConfigOf(settings: {
  readonly origins: readonly OriginSettings[]
  readonly properties: readonly AnyPropertySettings[]
  readonly scheduler?: {
    readonly steering: { readonly publicUrl?: string | undefined; readonly redirect: 'path' | 'host' }
    readonly dns?: object | undefined
  }
}): EdgeConfig {
  const origins = settings.origins.map(wireOrigin)
  const properties = settings.properties.map(wireProperty)
  const steeringUrl = settings.scheduler?.steering.publicUrl?.replace(/\/+$/, '') ?? null
  // In DNS too a property has its id as a name.
  const propertyLabels =
    settings.scheduler?.steering.redirect === 'host' || settings.scheduler?.dns !== undefined
  // Built key by key above, so that equal content has equal text.
  const text = JSON.stringify([steeringUrl, propertyLabels, origins, properties])
  const version = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return { version, steeringUrl, propertyLabels, origins, properties }
}

/** Key by key: how a scheduler probes it is not for edges. */
function wireOrigin(origin: OriginSettings): WireOrigin {
  const { id, url, host, headers, tls, sign, connections, timeouts } = origin
  return {
    id,
    url,
    ...(host === undefined ? {} : { host }),
    headers,
    ...(tls === undefined ? {} : { tls }),
    ...(sign === undefined ? {} : { sign }),
    connections,
    timeouts,
  }
}

function wireProperty(property: AnyPropertySettings): WireProperty {
  return {
    id: property.id,
    hosts: property.hosts.map((host) => host.toLowerCase()),
    origins: property.origins.map(({ id, weight, backup, sites = [] }) => ({ id, weight, backup, sites })),
    originChoice: property.originChoice,
    failover: property.failover,
    cache: {
      defaultTtlMs: property.cache.defaultTtl,
      rules: property.cache.rules.map(({ match, ttl }) => ({ match, ttlMs: ttl })),
      setCookie: property.cache.setCookie,
      staleIfErrorMs: property.cache.staleIfError,
    },
    forward:
      property.forward === 'all' ? 'all' : property.forward.map((name) => name.toLowerCase()).toSorted(),
    methods: [...property.methods],
    cors: { origins: [...property.cors.origins] },
    playlists: { hosts: [...property.playlists.hosts], compress: property.playlists.compress },
    prefetch: { segments: property.prefetch.segments },
    access: property.access,
    limits: property.limits,
    ...(property.callback === undefined ? {} : { callback: property.callback }),
    ...(property.events === undefined ? {} : { events: property.events }),
    ...(property.overflow === undefined ? {} : { reportBitRate: true as const }),
    ...(property.contentSteering === undefined ? {} : { announceSteering: true as const }),
  }
}
