// A cluster whose edgeward.yaml a test changes while it runs: a scheduler as a real process, real edges that join it, and
// `edgeward config` as an operator runs it.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fetch } from 'undici'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { configHistorySchema, configStatusSchema } from '../../src/wire/config-rollout.ts'
import type { ConfigHistory, ConfigStatus } from '../../src/wire/config-rollout.ts'
import { formatAuthority } from '../../src/net/listen.ts'
import { get } from './client.ts'
import { TestEdge } from './edge.ts'
import { LOOPBACK } from './namespaces.ts'
import { freePort } from './ports.ts'
import { runCommand, startDaemon } from './process.ts'
import type { CommandResult, DaemonProcess } from './process.ts'
import { edgeEntry, keyOf, schedulerSettingsText } from './scheduler.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { until } from './until.ts'

export type Settings = Record<string, unknown>

export interface RolloutScheduler {
  readonly daemon: DaemonProcess
  readonly file: string
  readonly steering: string
  readonly control: string
  readonly admin: string
  /** Rewrites the file. */
  change(change: (settings: Settings) => void): Promise<void>
  /** The same over HTTP as by the command; give the outcome and the number, such as `applied 2`, or the refusal. */
  apply(): Promise<string>
  rollback(version: number): Promise<string>
  /** Runs `edgeward config ARGS`. */
  config(...args: string[]): Promise<CommandResult>
  status(): Promise<ConfigStatus>
  history(): Promise<ConfigHistory['versions']>
  /** Until this scheduler runs it. */
  untilRuns(version: number, withinMs?: number): Promise<void>
}

/** A site with these edges, at free ports of their own, and the property `shows` of an origin. */
export async function clusterSettings(
  origin: string,
  edges: readonly string[],
  scheduler: Settings = {},
): Promise<Settings> {
  const listen = { listen: '127.0.0.1:0' }
  const entries = await Promise.all(
    edges.map(async (id) => edgeEntry(id, 'guangzhou', { url: `http://127.0.0.1:${await freePort()}` })),
  )
  return schedulerSettingsText({
    scheduler: {
      steering: listen,
      control: { listen: `127.0.0.1:${await freePort()}` },
      admin: listen,
      probes: false,
      accessLog: false,
      ...scheduler,
    },
    edges: entries,
    origins: [{ id: 'studio', url: origin }],
    properties: [propertyOf('shows')],
  })
}

export function propertyOf(id: string, over: Settings = {}): Settings {
  return { id, hosts: [`${id}.example.com`], origins: [{ id: 'studio' }], ...over }
}

/** `name`: of the file, in a directory of its own. */
export async function startRolloutScheduler(t: TestScope, settings: Settings): Promise<RolloutScheduler> {
  const file = path.join(await tempDirectory(t), 'edgeward.yaml')
  await writeFile(file, stringify(settings))
  return startWithFile(t, file)
}

export async function startWithFile(
  t: TestScope,
  file: string,
  env: Record<string, string> = {},
): Promise<RolloutScheduler> {
  const daemon = await startDaemon(t, ['scheduler', '--config', file], { env })
  const { steering = '', control = '', admin = '' } = daemon.listeners
  const read = async <T>(route: string, schema: z.ZodType<T>) =>
    schema.parse(await (await fetch(`${admin}${route}`)).json())
  const roll = async (what: string, body: object) => {
    const answer = await fetch(`${admin}/api/v1/config/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const { outcome, version, message } = rolledSchema.parse(await answer.json())
    return message ?? `${outcome} ${version}`
  }
  const status = () => read('/api/v1/config', configStatusSchema)
  return {
    daemon,
    file,
    steering,
    control,
    admin,
    async change(change) {
      const settings = settingsSchema.parse(parse(await readFile(file, 'utf8')))
      change(settings)
      await writeFile(file, stringify(settings))
    },
    apply: () => roll('apply', {}),
    rollback: (version) => roll('rollback', { version }),
    config: (...args) => runCommand(t, ['config', ...args, '--admin', admin]),
    status,
    history: async () => (await read('/api/v1/config/versions', configHistorySchema)).versions,
    async untilRuns(version, withinMs) {
      const isRunning = async () => (await status()).running?.number === version
      await until(`version ${version} runs`, isRunning, withinMs)
    },
  }
}

const rolledSchema = z.object({
  outcome: z.string().optional(),
  version: z.number().optional(),
  message: z.string().optional(),
})
const settingsSchema = z.record(z.string(), z.unknown())
const entriesSchema = z.array(z.object({ id: z.string(), url: z.string() }))

/** Starts the edge of the settings; resolves when it listens. */
export async function startJoinedEdge(
  t: TestScope,
  id: string,
  settings: Settings,
  control: string,
  place = LOOPBACK,
): Promise<TestEdge> {
  const entry = entriesSchema.parse(settings['edges']).find((edge) => edge.id === id)
  if (entry === undefined) throw new Error(`no edge ${id}`)
  const directory = await tempDirectory(t)
  const admin = formatAuthority(place.address, await freePort())
  const configFile = path.join(directory, 'edge.yaml')
  const own = {
    id,
    scheduler: [control],
    key: '${EDGE_KEY}',
    listen: new URL(entry.url).host,
    admin,
    cache: { memory: '64MiB', directories: [{ path: './cache', size: '1GiB' }] },
  }
  await writeFile(configFile, stringify(own))
  const where = { id, url: entry.url, admin: `http://${admin}`, directory, configFile }
  const edge = new TestEdge(t, where, { env: { EDGE_KEY: keyOf(id) }, within: place.within })
  await edge.start()
  return edge
}

/** Edge id → how it stands. */
export function statesOf({ edges }: ConfigStatus): Record<string, string> {
  return Object.fromEntries(edges.map(({ id, state }) => [id, state]))
}

/** Asks for an object of a property at a scheduler or an edge; gives the status. */
export async function statusAt(url: string, property: string): Promise<number> {
  return (await get(`${url}/a.ts`, { headers: { host: `${property}.example.com` } })).status
}

export interface Viewer {
  /** How many answers there were of each status, or of `none`. */
  end(): Promise<Record<string, number>>
}

/** Asks a scheduler for the property `shows`, one request after the other, until it is ended. */
export function watchAnswers(t: TestScope, steering: string): Viewer {
  const seen: Record<string, number> = {}
  const stopping = new AbortController()
  const run = async () => {
    while (!stopping.signal.aborted) {
      const status = String(await statusAt(steering, 'shows').catch(() => 'none'))
      seen[status] = (seen[status] ?? 0) + 1
      await delay(5)
    }
  }
  const running = run()
  t.teardown(() => stopping.abort())
  return {
    async end() {
      stopping.abort()
      await running
      return seen
    },
  }
}
