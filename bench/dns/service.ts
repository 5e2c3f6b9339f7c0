// What all servers are set up to answer: 200 names, each with the two addresses of the site that a client is sent to. The
// same at every run.
import type { Position } from '../../src/geo/place.ts'
import { madeCluster } from '../lib/made-cluster.ts'

export const ZONE = 'cdn.example.com'
export const TTL_SECONDS = 20

/** Edges of a size that the clients of so many queries a second do not fill. */
export const SIZE = { sites: 100, edgesPerSite: 10, properties: 200, edgeBandwidth: 1e11 }

export interface ServedSite {
  readonly id: string
  readonly location: Position
  /** Two of each family. */
  readonly addresses: Readonly<Record<4 | 6, readonly string[]>>
}

export interface Service {
  /** Empty, for configuration and state. */
  readonly directory: string
  readonly cpus: string
  /** On 127.0.0.1 and ::1. */
  readonly port: number
  readonly cityFile: string
}

const made = madeCluster(SIZE)

/** For the scheduler, which chooses among the edges of a site too. */
export const CLUSTER = {
  ...made,
  edges: made.edges.map((edge, i) => Object.assign(edge, { addresses: Object.values(addressesOf(i)) })),
}
export const EDGE_IDS = made.edges.map((edge) => String(edge['id']))
export const NAMES = made.properties.map(({ id }) => `${id}.${ZONE}`)
export const SITES = made.sites.map(({ id, location }, i): ServedSite => {
  const [first, second] = [addressesOf(i * SIZE.edgesPerSite), addressesOf(i * SIZE.edgesPerSite + 1)]
  return { id, location, addresses: { 4: [first[4], second[4]], 6: [first[6], second[6]] } }
})

/** In networks for benchmarks and documentation (RFC 2544, RFC 3849). */
function addressesOf(edge: number): { 4: string; 6: string } {
  return { 4: `198.18.${edge >> 8}.${edge & 255}`, 6: `2001:db8::${(edge + 1).toString(16)}` }
}
