// Two objects at an origin that numbers its versions, a cluster or an edge that has both stored, and what it makes of them:
// for tests of purges over restarts.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { startCluster } from './cluster.ts'
import type { Cluster } from './cluster.ts'
import type { TestEdge } from './edge.ts'
import { ask, outcomeOf } from './purging.ts'
import { startOrigin } from './scripted-origin.ts'
import type { Answer, ScriptedOrigin } from './scripted-origin.ts'
import type { TestScope } from './scope.ts'
import { until } from './until.ts'

const PATHS = ['/a', '/b'] as const

/** An origin at version 1 of two objects, each with a tag of its own. */
export function startVersions(t: TestScope): Promise<ScriptedOrigin> {
  return startOrigin(t, { '/a': answer('/a', 1), '/b': answer('/b', 1) })
}

export function answer(path: string, version: number): Answer {
  const fields = { 'Cache-Control': 'max-age=600', ETag: `"${version}"`, 'Surrogate-Key': `tag${path}` }
  return { body: `${path} ${version}`, fields }
}

/** Both objects, stored and on disk. */
export async function fill(edge: TestEdge): Promise<void> {
  for (const path of PATHS) await ask(edge, path)
  await until('both are written', async () => (await slicesOnDisk(edge)) >= PATHS.length)
  for (const path of PATHS) await ask(edge, path)
}

async function slicesOnDisk(edge: TestEdge): Promise<number> {
  const names = await readdir(path.join(edge.directory, 'cache'), { recursive: true })
  return names.filter((name) => /^[0-9a-f]{2}\/[0-9a-f]+$/.test(name)).length
}

/** What the edge makes of both: `hit`, `uri-miss`, `stale 304`, with the version. */
export async function seen(edge: TestEdge): Promise<string[]> {
  const replies = []
  for (const path of PATHS) {
    const reply = await ask(edge, path)
    replies.push(`${outcomeOf(reply)}: ${reply.text}`)
  }
  return replies
}

export const journalOf = (edge: TestEdge) => path.join(edge.directory, 'cache', 'purges.log')

export async function startPair(
  t: TestScope,
  options: object = {},
): Promise<[Cluster, TestEdge, ScriptedOrigin]> {
  const origin = await startVersions(t)
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { one: { edges: ['e-1', 'e-2'] } },
    ...options,
  })
  return [cluster, cluster.edge('e-1'), origin]
}
