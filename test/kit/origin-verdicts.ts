// A scheduler's verdicts on origins, and edges under steady traffic, for scenarios of origins that fail.
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { get } from './client.ts'
import type { Cluster } from './cluster.ts'
import type { TestScope } from './scope.ts'
import { guidanceAt } from './tiered-cluster.ts'
import { until } from './until.ts'

const EVERY_MS = 40

const originsSchema = z.object({
  origins: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['up', 'down', 'returning']),
      by: z.enum(['probes', 'edges']).nullable(),
      share: z.number(),
    }),
  ),
})

export async function verdictOn(cluster: Cluster, id: string) {
  const { origins } = originsSchema.parse(JSON.parse((await get(`${cluster.admin}/api/v1/origins`)).text))
  return origins.find((origin) => origin.id === id)
}

export async function untilVerdict(cluster: Cluster, id: string, state: string): Promise<void> {
  await until(`${id} is ${state}`, async () => (await verdictOn(cluster, id))?.state === state, 40_000)
}

const TOLD_WITHIN_MS = 2000

/** Until every edge goes by the verdict that it is down, within the time that this may take. */
export async function untilToldDown(cluster: Cluster, id: string): Promise<void> {
  const isTold = async () => {
    const known = await Promise.all([...cluster.edges.values()].map(guidanceAt))
    return known.every(({ origins }) => origins[id]?.state === 'down')
  }
  await until(`every edge was told that ${id} is down`, isTold, TOLD_WITHIN_MS)
}

/** Asks each edge for something new again and again, until the test ends; gives the statuses, as they come. */
export function startTraffic(t: TestScope, cluster: Cluster): readonly number[] {
  const stop = new AbortController()
  const statuses: number[] = []
  let n = 0
  const runs = [...cluster.edges.values()].map(async (edge) => {
    while (!stop.signal.aborted) {
      const reply = await get(`${edge.url}/~shows/live/${n++}`)
      statuses.push(reply.status)
      await wait(EVERY_MS)
    }
  })
  t.teardown(async () => {
    stop.abort()
    await Promise.all(runs)
  })
  return statuses
}
