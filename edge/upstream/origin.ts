// The origins of a property, as its upstreams: what the configuration says of each, how this property uses it, and what
// of that is worked out once a configuration.
import { hash } from 'node:crypto'
import type { EdgeConfig, WireOrigin, WireOriginUse, WireProperty } from '../../src/wire/edge-config.ts'
import { hash64 } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import type { UpstreamBase } from './upstream-base.ts'
import { upstreamBase } from './upstream-base.ts'

export interface UpstreamOrigin extends WireOrigin, WireOriginUse, UpstreamBase {
  readonly hash: Hash64
  /** The same for origins that are asked alike: their connections are of one pool. */
  readonly pool: string
}

/** In the order of the configuration. Throws where a property names an origin that is not there. */
export function originsOf(property: WireProperty, origins: EdgeConfig['origins']): UpstreamOrigin[] {
  return property.origins.map((use) => {
    const origin = origins.find(({ id }) => id === use.id)
    if (origin === undefined)
      throw new Error(`property ${property.id} names origin ${use.id}, which is missing`)
    return upstreamOrigin(origin, use)
  })
}

export function upstreamOrigin(origin: WireOrigin, use: WireOriginUse): UpstreamOrigin {
  const base = upstreamBase(origin.url)
  const { tls, host, connections, timeouts } = origin
  // Of what a connection depends on; a digest, since keys are among it.
  const pool = `${origin.id} ${hash('sha256', JSON.stringify([base.origin, tls, host, connections, timeouts]))}`
  return { ...origin, ...use, ...base, hash: hash64(origin.id), pool }
}
