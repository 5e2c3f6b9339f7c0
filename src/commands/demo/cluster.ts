// The demo's cluster: three sites with an edge each, and the configuration files that say so. The same keys
// as in a real cluster, written to a directory of their own.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'yaml'
import { hashKey, newKey } from '../../key.ts'
import { LOOPBACK } from './ports.ts'
import type { DemoPorts } from './ports.ts'

// Client networks are those set aside for documentation (RFC 5737, RFC 3849): `X-Forwarded-For` plays them.
const SITES = [
  {
    id: 'guangzhou',
    location: { lat: 23.13, lon: 113.26 },
    coverage: {
      networks: ['192.0.2.0/24', '2001:db8:86::/48'],
      countries: ['CN', 'HK', 'MO', 'TW', 'JP', 'KR', 'SG', 'VN', 'TH', 'IN', 'AU'],
    },
    edge: 'gz-1',
  },
  {
    id: 'frankfurt',
    location: { lat: 50.11, lon: 8.68 },
    coverage: {
      networks: ['198.51.100.0/24', '2001:db8:49::/48'],
      countries: ['DE', 'AT', 'CH', 'FR', 'NL', 'BE', 'PL', 'CZ', 'IT', 'GB'],
    },
    edge: 'fra-1',
  },
  {
    id: 'sao-paulo',
    location: { lat: -23.55, lon: -46.63 },
    coverage: {
      networks: ['203.0.113.0/24', '2001:db8:55::/48'],
      countries: ['BR', 'AR', 'UY', 'PY', 'CL', 'BO', 'PE', 'CO', 'US', 'CA'],
    },
    edge: 'sp-1',
  },
]

/** An address in a documentation network, and where the demo's coverage sends it. */
export const ELSEWHERE = { address: '203.0.113.9', site: 'sao-paulo' }

export const EDGE_COUNT = SITES.length

export interface DemoEdge {
  id: string
  site: string
  url: string
  admin: string
  configFile: string
  /** Handed over in the environment, never written to a file. */
  key: string
}

export interface DemoCluster {
  originUrl: string
  steeringUrl: string
  adminUrl: string
  schedulerFile: string
  edges: DemoEdge[]
}

export const ORIGIN_ID = 'studio'
export const PROPERTY_ID = 'demo'

/** Writes edgeward.yaml and an edge.yaml for each edge into `directory`. */
export async function writeCluster(directory: string, ports: DemoPorts): Promise<DemoCluster> {
  const edges = SITES.map((site, i): DemoEdge => {
    const own = ports.edges[i] ?? { public: 0, admin: 0 }
    return {
      id: site.edge,
      site: site.id,
      url: urlOf(own.public),
      admin: urlOf(own.admin),
      configFile: path.join(directory, `${site.edge}.yaml`),
      key: newKey(),
    }
  })
  const scheduler = {
    cluster: 'demo',
    scheduler: {
      steering: { listen: authority(ports.steering) },
      control: { listen: authority(ports.control) },
      admin: { listen: authority(ports.admin) },
      // So that `curl -H 'X-Forwarded-For: …'` on this machine plays a client elsewhere.
      trustedProxies: ['127.0.0.0/8', '::1/128'],
      drain: '2s',
    },
    defaultSite: SITES[0]?.id,
    sites: SITES.map(({ id, location, coverage }) => ({ id, location, coverage })),
    edges: edges.map(({ id, site, url: edgeUrl, key }) => ({
      id,
      site,
      url: edgeUrl,
      keyHash: hashKey(key),
    })),
    origins: [{ id: ORIGIN_ID, url: urlOf(ports.origin) }],
    properties: [{ id: PROPERTY_ID, origins: [{ id: ORIGIN_ID }] }],
  }
  const schedulerFile = path.join(directory, 'edgeward.yaml')
  await Promise.all([
    writeFile(schedulerFile, stringify(scheduler)),
    ...edges.map((edge, i) => writeFile(edge.configFile, stringify(edgeSettings(edge, ports, i)))),
  ])
  return {
    originUrl: urlOf(ports.origin),
    steeringUrl: urlOf(ports.steering),
    adminUrl: urlOf(ports.admin),
    schedulerFile,
    edges,
  }
}

/** A path of the demo's property as clients ask the scheduler for it. */
export function steeredUrl(cluster: DemoCluster, assetPath: string): string {
  return `${cluster.steeringUrl}/~${PROPERTY_ID}/${assetPath}`
}

function edgeSettings(edge: DemoEdge, ports: DemoPorts, index: number): object {
  const own = ports.edges[index] ?? { public: 0, admin: 0 }
  return {
    id: edge.id,
    scheduler: [urlOf(ports.control)],
    key: '${EDGE_KEY}',
    listen: authority(own.public),
    admin: authority(own.admin),
    cache: { memory: '64MiB', directories: [{ path: `./cache-${edge.id}`, size: '256MiB' }] },
    drain: '2s',
  }
}

function authority(port: number): string {
  return `${LOOPBACK}:${port}`
}

function urlOf(port: number): string {
  return `http://${authority(port)}`
}
