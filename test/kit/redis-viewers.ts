// Two schedulers that share a Redis, each with the reports of one edge alone, and viewers who ask both all the time:
// what happens to Redis must not show in any answer, nor in how a scheduler sees the other's edge.
import { setTimeout as delay } from 'node:timers/promises'
import { fetch } from 'undici'
import type { Test } from 'tap'
import { z } from 'zod'
import { systemClock } from '../../src/clock.ts'
import { formatAuthority } from '../../src/net/listen.ts'
import { get } from './client.ts'
import { LOOPBACK } from './namespaces.ts'
import { edgeEntry } from './scheduler.ts'
import { startSchedulerProcess } from './scheduler-process.ts'
import type { SchedulerProcess } from './scheduler-process.ts'
import { edgeOverrideSchema, overrideReplySchema } from '../../src/wire/override.ts'
import type { EdgeOverride, OverrideKept, OverrideRequest } from '../../src/wire/override.ts'
import type { TestScope } from './scope.ts'
import { until } from './until.ts'

const ASK_EVERY_MS = 20
const LOOK_EVERY_MS = 100
/** Enough that none of them counts as hot. */
const ASSETS = 40

const statusSchema = z.object({ registry: z.object({ state: z.string(), reason: z.string().optional() }) })
const edgesSchema = z.object({
  edges: z.array(z.object({ id: z.string(), state: z.string(), override: edgeOverrideSchema.nullable() })),
})

export interface RegistryState {
  state: string
  reason?: string | undefined
}

export interface Viewers {
  readonly a: OperatedScheduler
  readonly b: OperatedScheduler
  /** Until both schedulers say so of their registry. */
  untilBoth(state: 'healthy' | 'held', withinMs?: number): Promise<void>
  /** Sets an override at `a`, and waits until both steer by it. */
  override(id: string, wanted: OverrideRequest): Promise<void>
  /** What is seen from now on. */
  watch(): Watched
}

export interface Watched {
  /** How many answers of each status, or `none`. */
  readonly answers: Map<string, number>
  /** Assets that were sent to more than one edge. */
  moved(): string[]
  /** Edges in any other state than up, as `a: gz-2 down`. */
  readonly unwell: Set<string>
}

export interface OperatedScheduler extends SchedulerProcess {
  /** Sets what an operator says, or takes it back; says where it is kept. */
  override(id: string, wanted: OverrideRequest | null): Promise<OverrideKept>
  overrides(): Promise<Record<string, EdgeOverride | null>>
}

export async function startOperated(
  t: TestScope,
  redis: unknown,
  place = LOOPBACK,
): Promise<OperatedScheduler> {
  const scheduler = await startSchedulerProcess(t, schedulerConfig(redis, place), place)
  return {
    ...scheduler,
    async override(id, wanted) {
      const answer = await fetch(`${scheduler.admin}/api/v1/edges/${id}/override`, {
        method: wanted === null ? 'DELETE' : 'PUT',
        ...(wanted !== null && {
          body: JSON.stringify(wanted),
          headers: { 'content-type': 'application/json' },
        }),
      })
      return overrideReplySchema.parse(await answer.json()).kept
    },
    async overrides() {
      const { edges } = edgesSchema.parse(await (await fetch(`${scheduler.admin}/api/v1/edges`)).json())
      return Object.fromEntries(edges.map(({ id, override }) => [id, override]))
    },
  }
}

export async function registryOf({ admin }: Pick<SchedulerProcess, 'admin'>): Promise<RegistryState> {
  return statusSchema.parse(await (await fetch(`${admin}/api/v1/status`)).json()).registry
}

export function schedulerConfig(redis: unknown, { address } = LOOPBACK): Record<string, unknown> {
  const listen = { listen: formatAuthority(address, 0) }
  const capacity = { bandwidth: '100Gbit', connections: 1_000_000 }
  return {
    scheduler: { steering: listen, control: listen, admin: listen, redis, accessLog: false },
    edges: [edgeEntry('gz-1', 'guangzhou', { capacity }), edgeEntry('gz-2', 'guangzhou', { capacity })],
  }
}

export async function startViewers(
  t: TestScope,
  redis: unknown,
  [placeA, placeB] = [LOOPBACK, LOOPBACK],
): Promise<Viewers> {
  const [a, b] = await Promise.all([startOperated(t, redis, placeA), startOperated(t, redis, placeB)])
  // Long up: a new edge would get its share by and by.
  a.keepReporting('gz-1', { uptimeMs: 3_600_000 })
  b.keepReporting('gz-2', { uptimeMs: 3_600_000 })
  const schedulers = { a, b }
  for (const scheduler of [a, b]) for (const id of ['gz-1', 'gz-2']) await scheduler.untilState(id, 'up')

  let watched = newWatched()
  let asset = 0
  const ask = setInterval(() => {
    const path = `/asset-${asset++ % ASSETS}/main.m3u8`
    for (const scheduler of [a, b]) void askOnce(scheduler, path, watched)
  }, ASK_EVERY_MS)
  const look = setInterval(() => {
    for (const [name, scheduler] of Object.entries(schedulers)) void lookOnce(name, scheduler, watched)
  }, LOOK_EVERY_MS)
  t.teardown(() => {
    clearInterval(ask)
    clearInterval(look)
  })
  return {
    a,
    b,
    async untilBoth(state, withinMs) {
      for (const [name, scheduler] of Object.entries(schedulers)) {
        const said = async () => (await registryOf(scheduler)).state === state
        await until(`the registry of ${name} is ${state}`, said, withinMs)
      }
    },
    async override(id, wanted) {
      await a.override(id, wanted)
      await until('b has it', async () => (await b.overrides())[id] !== null)
      // Into the snapshot.
      await pass(200)
    },
    watch: () => (watched = newWatched()),
  }
}

/** Time that has to pass for a thing not to happen in it. */
export async function pass(ms: number): Promise<void> {
  const untilMs = systemClock.monotonic() + ms
  while (systemClock.monotonic() < untilMs) await delay(Math.max(1, untilMs - systemClock.monotonic()))
}

/** `least`: how many answers there must have been at the least. */
export function unharmed(t: Test, watched: Watched, least: number): void {
  t.same([...watched.answers.keys()], ['302'], 'every answer is a redirect')
  t.ok((watched.answers.get('302') ?? 0) >= least, `${watched.answers.get('302')} answers`)
  t.same(watched.moved(), [], 'every asset stays on its edge')
  t.same([...watched.unwell], [], 'every edge is up to both schedulers')
}

interface Watching extends Watched {
  readonly places: Map<string, Set<string>>
}

function newWatched(): Watching {
  const places = new Map<string, Set<string>>()
  const moved = () => [...places].filter(([, edges]) => edges.size > 1).map(([path]) => path)
  return { answers: new Map(), unwell: new Set(), places, moved }
}

async function askOnce({ steering }: SchedulerProcess, path: string, watched: Watching): Promise<void> {
  const reply = await get(`${steering}${path}`, { headers: { host: 'shows.example.com' } }).catch(() => null)
  const status = reply === null ? 'none' : String(reply.status)
  watched.answers.set(status, (watched.answers.get(status) ?? 0) + 1)
  if (reply?.headers.location === undefined) return
  const edges = watched.places.get(path) ?? new Set()
  watched.places.set(path, edges.add(new URL(reply.headers.location).host))
}

async function lookOnce(name: string, { admin }: SchedulerProcess, watched: Watching): Promise<void> {
  try {
    const { edges } = edgesSchema.parse(await (await fetch(`${admin}/api/v1/edges`)).json())
    for (const { id, state } of edges) if (state !== 'up') watched.unwell.add(`${name}: ${id} ${state}`)
  } catch {
    watched.unwell.add(`${name}: no answer`)
  }
}
