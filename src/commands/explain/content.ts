// What `edgeward explain` needs of a configuration file, whichever daemon it is for.
import { edgeConfigOf } from '../../config/edge-config.ts'
import type { AnyConfig } from '../../config/load.ts'
import { trustedProxiesOf } from '../../access/client-address.ts'
import { loadConfiguredPlaces } from '../../geo/configured-places.ts'
import type { Places } from '../../geo/places.ts'
import type { CidrTree } from '../../net/cidr-tree.ts'
import type { WireProperty } from '../../wire/edge-config.ts'

export interface Content {
  readonly properties: readonly WireProperty[]
  readonly trustedProxies: CidrTree<true>
  /** Reads the GeoIP files; rejects with a ConfigError. */
  loadPlaces(): Promise<Places>
}

/** null: an edge that is joined to a cluster, whose content the scheduler's file holds. */
export function contentOf(config: AnyConfig): Content | null {
  if (config.kind === 'edge' && config.mode === 'joined') return null
  const { file } = config
  const of = (
    daemon: { trustedProxies: readonly string[]; geoip: Parameters<typeof loadConfiguredPlaces>[0] },
    geoipKey: string,
  ): Content => ({
    properties: edgeConfigOf(config.settings).properties,
    trustedProxies: trustedProxiesOf(daemon.trustedProxies),
    loadPlaces: () => loadConfiguredPlaces(daemon.geoip, file, geoipKey),
  })
  return config.kind === 'scheduler'
    ? of(config.settings.scheduler, 'scheduler.geoip')
    : of(config.settings, 'geoip')
}
