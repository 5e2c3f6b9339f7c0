// Waits until the demo can serve: every process listens, the scheduler calls itself ready and sees every edge
// up, and every edge has its configuration.
import { setInterval } from 'node:timers/promises'
import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { Child } from './child.ts'
import type { DemoCluster } from './cluster.ts'

/** A slow machine takes long for five processes at once; one that fails is told of when it ends. */
const READY_MS = 60_000
const POLL_MS = 50
const FETCH_MS = 2000

const edgeStatesSchema = z.object({ edges: z.array(z.object({ id: z.string(), state: z.string() })) })

/** Throws with the failing process's last log lines when one ends early or the bound is reached. */
export async function waitUntilReady(
  cluster: DemoCluster,
  children: readonly Child[],
  clock: Clock,
): Promise<void> {
  const bound = new AbortController()
  const failures = children.map(async (child) => {
    const how = await child.ended
    throw new Error(withLog(`${child.name} did not start: ${how}`, child))
  })
  try {
    await Promise.race([poll(cluster, children, clock, bound.signal), ...failures])
  } finally {
    bound.abort()
  }
}

async function poll(
  cluster: DemoCluster,
  children: readonly Child[],
  clock: Clock,
  stopped: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + READY_MS
  const starting = new Set(children)
  for (const child of children) void child.ready.then(() => starting.delete(child))
  for await (const signal of setInterval(POLL_MS, stopped)) {
    if (signal.aborted) return
    const [first] = starting
    const waitingFor = first === undefined ? await findUnready(cluster) : `${first.name} has not started`
    if (waitingFor === null) return
    if (clock.monotonic() > deadline) {
      const blamed = first ?? children.find((child) => waitingFor.startsWith(child.name))
      throw new Error(withLog(`not ready after ${READY_MS / 1000} s: ${waitingFor}`, blamed))
    }
  }
}

/** What is still missing, or null. */
async function findUnready(cluster: DemoCluster): Promise<string | null> {
  const answers = await Promise.all([
    statusOf('scheduler', `${cluster.adminUrl}/readyz`),
    ...cluster.edges.map((edge) => statusOf(`edge ${edge.id}`, `${edge.admin}/readyz`)),
  ])
  const unready = answers.find((answer) => answer !== null)
  if (unready !== undefined) return unready ?? null
  try {
    const response = await fetch(`${cluster.adminUrl}/api/v1/edges`, {
      signal: AbortSignal.timeout(FETCH_MS),
    })
    const { edges } = edgeStatesSchema.parse(await response.json())
    const states = new Map(edges.map((edge) => [edge.id, edge.state]))
    const missing = cluster.edges.find((edge) => states.get(edge.id) !== 'up')
    return missing === undefined
      ? null
      : `edge ${missing.id} is ${states.get(missing.id) ?? 'unknown'} to the scheduler`
  } catch (error) {
    return `scheduler does not list its edges: ${messageOf(error)}`
  }
}

async function statusOf(name: string, url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) })
    await response.body?.cancel()
    return response.status === 200 ? null : `${name} is not ready: ${url} says ${response.status}`
  } catch (error) {
    return `${name} does not answer ${url}: ${messageOf(error)}`
  }
}

function withLog(message: string, child: Child | undefined): string {
  const lines = child?.lastLines ?? []
  return lines.length === 0 ? message : `${message}\n${lines.map((line) => `  ${line}`).join('\n')}`
}
