// A whole cluster as real processes: one scheduler and the edges of its sites, with keys and files of its own.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { hashKey, newKey } from '../../src/key.ts'
import { formatAuthority } from '../../src/net/listen.ts'
import { get } from './client.ts'
import { TestEdge } from './edge.ts'
import { LOOPBACK } from './namespaces.ts'
import type { Place } from './namespaces.ts'
import { freePort } from './ports.ts'
import { runCommand, startDaemon } from './process.ts'
import type { CommandResult, DaemonProcess } from './process.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { until } from './until.ts'

export interface ClusterSite {
  edges: readonly string[]
  networks?: readonly string[]
  /** Further keys of the site in edgeward.yaml. */
  entry?: Readonly<Record<string, unknown>>
}

export interface ClusterOptions {
  /** Base URL of the origin that the property `shows` (host shows.example.com) pulls from. */
  origin: string
  /** Site → its edges and the client networks it covers; the first site is the default. */
  sites: Readonly<Record<string, ClusterSite>>
  /** `redis://…`, for the registry. */
  redis?: string
  /** Further keys of the origin `studio`, which that is. */
  originEntry?: Readonly<Record<string, unknown>>
  /** Further origins, whole. */
  origins?: readonly object[]
  /** Keys of the property `shows` besides its id, hosts and origins. */
  property?: Readonly<Record<string, unknown>>
  /** Further properties, whole; their origin is `studio`. */
  properties?: readonly object[]
  /** Further keys of each edge in edgeward.yaml, such as its capacity. */
  edgeEntry?: Readonly<Record<string, unknown>>
  /** Further top-level keys of each edge.yaml. */
  edgeConfig?: Readonly<Record<string, unknown>>
  /** The same of single edges, by id. */
  edgeEntries?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Further keys of single edge.yaml files, by id. */
  edgeConfigs?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Further environment of the scheduler. */
  schedulerEnv?: Record<string, string>
  /** Where edges listen, by id; left out: any port of their place. */
  listens?: Readonly<Record<string, string>>
  /** Where edges run, by id, and the scheduler, as `scheduler`; left out: on loopback. */
  places?: Readonly<Record<string, Place>>
  /** What clients are sent to, by edge id, where it is not what the edge listens on. */
  urls?: Readonly<Record<string, string>>
  /** Further keys of `scheduler.steering`. */
  steering?: Readonly<Record<string, unknown>>
  /** Keys of `scheduler.dns`; left out: it answers none. */
  dns?: Readonly<Record<string, unknown>>
  /** Replaces an edge's key by one whose hash the scheduler does not know. */
  wrongKeys?: readonly string[]
}

const edgesSchema = z.object({ edges: z.array(z.object({ id: z.string(), state: z.string() })) })

/** Of ten processes or more at once, on a busy machine. */
const START_WITHIN_MS = 30_000

export interface Cluster {
  /** Where clients ask. */
  readonly steering: string
  readonly control: string
  readonly admin: string
  /** Runs `edgeward ARGS --admin …` on the machine of the scheduler. */
  command(t: TestScope, args: readonly string[]): Promise<CommandResult>
  readonly scheduler: DaemonProcess
  readonly edges: ReadonlyMap<string, TestEdge>
  edge(id: string): TestEdge
  /** Ends the scheduler and starts it again at its addresses; what it had in memory is gone. */
  restartScheduler(): Promise<void>
  /** A second process with the id and key of an edge, elsewhere; not started. */
  twinOf(id: string): Promise<TestEdge>
  /** Edge id → its state in the scheduler's eyes. */
  states(): Promise<Map<string, string>>
}

/** Starts everything; resolves when the scheduler sees every edge up (those with wrong keys excepted). */
export async function startCluster(t: TestScope, options: ClusterOptions): Promise<Cluster> {
  const directory = await tempDirectory(t)
  const centre = options.places?.['scheduler'] ?? LOOPBACK
  const steering = await addressAt(centre)
  const control = await addressAt(centre)
  const adminPort = await freePort()
  const admin = formatAuthority(centre.address, adminPort)
  // It takes changes from its own machine alone, so it listens there too.
  const adminListen = centre === LOOPBACK ? admin : `[::]:${adminPort}`
  const edges = new Map<string, TestEdge>()
  const keys = new Map<string, string>()
  const entries: object[] = []
  for (const [site, { edges: ids }] of Object.entries(options.sites)) {
    for (const id of ids) {
      const key = newKey()
      const edge = await joinedEdge(t, id, control, { key, ...options })
      edges.set(id, edge)
      keys.set(id, key)
      const known = options.wrongKeys?.includes(id) === true ? newKey() : key
      const url = options.urls?.[id] ?? edge.url
      const more = { ...options.edgeEntry, ...options.edgeEntries?.[id] }
      entries.push({ id, site, url, keyHash: hashKey(known), ...more })
    }
  }
  const file = path.join(directory, 'edgeward.yaml')
  await writeFile(
    file,
    stringify(schedulerSettings(options, { steering, control, admin: adminListen }, entries)),
  )
  const startScheduler = () =>
    startDaemon(t, ['scheduler', '--config', file], {
      cwd: directory,
      within: centre.within,
      ...(options.schedulerEnv === undefined ? {} : { env: options.schedulerEnv }),
    })
  let scheduler = await startScheduler()
  await Promise.all([...edges.values()].map((edge) => edge.start()))
  // So that they drain side by side: teardowns run from the last to the first, and those of the daemons wait for each.
  t.teardown(() => {
    for (const { process } of edges.values()) process.signal('SIGTERM')
    scheduler.signal('SIGTERM')
  })
  const cluster: Cluster = {
    steering: `http://${steering}`,
    control: `http://${control}`,
    admin: `http://${admin}`,
    command(scope, args) {
      const url = `http://${centre === LOOPBACK ? admin : `[::1]:${adminPort}`}`
      return runCommand(scope, [...args, '--admin', url], { within: centre.within })
    },
    get scheduler() {
      return scheduler
    },
    edges,
    async restartScheduler() {
      await scheduler.stop()
      scheduler = await startScheduler()
    },
    edge(id) {
      const edge = edges.get(id)
      if (edge === undefined) throw new Error(`no edge ${id}`)
      return edge
    },
    twinOf(id) {
      return joinedEdge(t, id, control, { key: keys.get(id) ?? '', ...options })
    },
    async states() {
      const reply = await get(`http://${admin}/api/v1/edges`)
      return new Map(edgesSchema.parse(JSON.parse(reply.text)).edges.map(({ id, state }) => [id, state]))
    },
  }
  const expected = [...edges.keys()].filter((id) => options.wrongKeys?.includes(id) !== true)
  const isUp = async () => {
    const states = await cluster.states()
    return expected.every((id) => states.get(id) === 'up')
  }
  await until('every edge is up in the eyes of the scheduler', isUp, START_WITHIN_MS)
  return cluster
}

function schedulerSettings(
  options: ClusterOptions,
  listen: { steering: string; control: string; admin: string },
  entries: readonly object[],
): object {
  return {
    cluster: 'test',
    scheduler: {
      steering: { listen: listen.steering, publicUrl: `http://${listen.steering}`, ...options.steering },
      control: { listen: listen.control },
      admin: { listen: listen.admin },
      // So that a test plays a client elsewhere by X-Forwarded-For.
      trustedProxies: ['127.0.0.0/8'],
      ...(options.redis === undefined ? {} : { redis: options.redis }),
      ...(options.dns === undefined ? {} : { dns: options.dns }),
    },
    sites: Object.entries(options.sites).map(([id, { networks, entry }]) =>
      Object.assign({ id, coverage: { networks: networks ?? [] } }, entry),
    ),
    edges: entries,
    origins: [{ id: 'studio', url: options.origin, ...options.originEntry }, ...(options.origins ?? [])],
    properties: [
      { id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }], ...options.property },
      ...(options.properties ?? []),
    ],
  }
}

async function joinedEdge(
  t: TestScope,
  id: string,
  control: string,
  {
    key,
    edgeConfig,
    edgeConfigs,
    listens,
    places,
  }: { key: string } & Pick<ClusterOptions, 'edgeConfig' | 'edgeConfigs' | 'listens' | 'places'>,
): Promise<TestEdge> {
  const directory = await tempDirectory(t)
  const place = places?.[id] ?? LOOPBACK
  const listen = listens?.[id] ?? (await addressAt(place))
  const admin = await addressAt(place)
  const configFile = path.join(directory, 'edge.yaml')
  const settings = {
    id,
    scheduler: [`http://${control}`],
    key: '${EDGE_KEY}',
    listen,
    admin,
    cache: { memory: '64MiB', directories: [{ path: './cache', size: '1GiB' }] },
    ...edgeConfig,
    ...edgeConfigs?.[id],
  }
  await writeFile(configFile, stringify(settings))
  const where = { id, url: `http://${listen}`, admin: `http://${admin}`, directory, configFile }
  return new TestEdge(t, where, { env: { EDGE_KEY: key }, within: place.within })
}

async function addressAt({ address }: Place): Promise<string> {
  return formatAuthority(address, await freePort())
}
