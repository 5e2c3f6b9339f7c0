// The upstreams of a property as its configuration has them: what a request that misses is sent along. Tiers of other
// edges come from guidance, which changes while the configuration stands.
import type { FailoverSettings, OriginChoice } from '../../src/config/origin-schema.ts'
import type { UpstreamOrigin } from './origin.ts'

export interface PropertyChain {
  /** Id of the property. */
  readonly property: string
  /** In the order of the configuration. */
  readonly origins: readonly UpstreamOrigin[]
  readonly choice: OriginChoice
  readonly failover: FailoverSettings
}
