// Three sites of three edges each with a scheduler, all real processes, for tests of who fills whom. The property `shows`
// has its shield at `north`, `plain` has none, `lone` asks no other edge at all.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { guidanceSchema } from '../../src/wire/guidance.ts'
import type { Guidance } from '../../src/wire/guidance.ts'
import { startCluster } from './cluster.ts'
import type { Cluster, ClusterOptions } from './cluster.ts'
import type { TestEdge } from './edge.ts'
import type { TestScope } from './scope.ts'
import { until } from './until.ts'

export const SITES = {
  north: ['n-1', 'n-2', 'n-3'],
  south: ['s-1', 's-2', 's-3'],
  west: ['w-1', 'w-2', 'w-3'],
}
export const SLICE = 64 * 1024

const origins = [{ id: 'studio' }]

/** Resolves when every edge has been told of all that its tiers may hold. */
export async function startTieredCluster(
  t: TestScope,
  origin: string,
  options: Partial<ClusterOptions> = {},
): Promise<Cluster> {
  const cluster = await startCluster(t, {
    origin,
    sites: Object.fromEntries(Object.entries(SITES).map(([site, edges]) => [site, { edges }])),
    edgeConfig: {
      cache: { memory: '64MiB', slice: '64KiB', directories: [{ path: './cache', size: '1GiB' }] },
    },
    ...options,
    property: { shield: 'north', ...options.property },
    properties: [
      { id: 'plain', hosts: ['plain.example.com'], origins },
      { id: 'lone', hosts: ['lone.example.com'], origins, peers: false },
      ...(options.properties ?? []),
    ],
  })
  await until('every edge knows whom to ask', async () => {
    const known = await Promise.all([...cluster.edges.values()].map(guidanceAt))
    return known.every(({ site, chains }) => {
      const tiers = chains.find(({ properties }) => properties.includes('shows'))?.tiers ?? []
      const kinds = site === 'north' ? ['peers'] : ['peers', 'shield']
      return kinds.every((kind, i) => tiers[i]?.kind === kind && tiers[i].edges.length === 3)
    })
  })
  return cluster
}

/** What an edge goes by, as it has saved it. */
export async function guidanceAt(edge: TestEdge): Promise<Guidance> {
  const file = path.join(edge.directory, 'cache', 'edge-guidance.json')
  return guidanceSchema.parse(JSON.parse(await readFile(file, 'utf8')))
}

/** Of a property as an edge has been told; none: it asks the origins. */
export async function tiersAt(
  edge: TestEdge,
  property: string,
): Promise<Guidance['chains'][number]['tiers']> {
  const { chains } = await guidanceAt(edge)
  return chains.find(({ properties }) => properties.includes(property))?.tiers ?? []
}
