// A cluster for benchmarks of steering, the same at every run: sites where clients of the city database are, the same
// number of edges at each, properties of which some ask for more than others.
import { edgeEntry } from '../../test/kit/scheduler.ts'
import { cityPositions } from './city-clients.ts'

export interface ClusterSize {
  readonly sites: number
  readonly edgesPerSite: number
  readonly properties: number
  /** Bits a second that each edge can send. */
  readonly edgeBandwidth: number
}

/** The keys `sites`, `edges` and `properties` of `edgeward.yaml`. */
export function madeCluster({ sites, edgesPerSite, properties, edgeBandwidth }: ClusterSize) {
  const located = cityPositions(sites).map((location, i) => ({ id: siteId(i), location }))
  return {
    sites: located,
    edges: located.flatMap(({ id }) =>
      Array.from({ length: edgesPerSite }, (_, i) =>
        edgeEntry(`${id}-${i}`, id, {
          capacity: { bandwidth: `${edgeBandwidth / 1e9}Gbit`, connections: 100_000 },
          addresses: ['192.0.2.1', '2001:db8::1'],
          capabilities: i === 0 || i < edgesPerSite * 0.8 ? ['tls', 'uhd'] : ['tls'],
        }),
      ),
    ),
    properties: Array.from({ length: properties }, (_, i) => ({
      id: `property-${i}`,
      hosts: [hostOf(i)],
      origins: [{ id: 'studio' }],
      ...(i % 4 === 0 && { capabilities: ['uhd'] }),
      ...(i % 10 === 1 && { sites: located.map(({ id }) => id).filter((id) => /[05]$/.test(id)) }),
    })),
  }
}

export function siteId(number: number): string {
  return `site-${number}`
}

export function hostOf(property: number): string {
  return `p${property}.example.com`
}

/** What a player asks for: the assets of a catalogue, the first of them far more often. */
export function madePath(next: () => number): string {
  const asset = Math.floor(1 / (next() / 2 ** 32 + 1e-5))
  return `/catalogue/title-${asset}/v3/main.m3u8`
}
