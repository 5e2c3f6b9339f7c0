// The origins of a property, as its upstreams: what the configuration says of each, and how this property uses it.
import type { EdgeConfig, WireOrigin, WireOriginUse, WireProperty } from '../../src/wire/edge-config.ts'

export interface UpstreamOrigin extends WireOrigin, WireOriginUse {}

/** In the order of the configuration. Throws where a property names an origin that is not there. */
export function originsOf(property: WireProperty, origins: EdgeConfig['origins']): UpstreamOrigin[] {
  return property.origins.map((use) => {
    const origin = origins.find(({ id }) => id === use.id)
    if (origin === undefined)
      throw new Error(`property ${property.id} names origin ${use.id}, which is missing`)
    return { ...origin, ...use }
  })
}
