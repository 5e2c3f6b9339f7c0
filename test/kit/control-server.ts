// The control listener of a scheduler as a test writes it (node:http on loopback), for what a real one would never say:
// guidance that is wrong, or another for each edge, and events that some edges do not hear of.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { stringify } from 'yaml'
import { systemClock } from '../../src/clock.ts'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import { loadEdgeConfig } from '../../src/config/load.ts'
import type { EdgeConfig } from '../../src/wire/edge-config.ts'
import { NO_EVENT_YET, compareEventIds } from '../../src/wire/events.ts'
import type { ClusterEvent, EventsReply, Purge } from '../../src/wire/events.ts'
import type { Guidance, PeerSecret } from '../../src/wire/guidance.ts'
import { edgeReportSchema } from '../../src/wire/report.ts'
import { TestEdge } from './edge.ts'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { until } from './until.ts'

/** Good for an hour around now. */
export function secretNow(id: string, fill = 7): PeerSecret {
  const nowMs = systemClock.now()
  const key = Buffer.alloc(32, fill).toString('base64url')
  return { id, key, fromMs: nowMs - 1_800_000, untilMs: nowMs + 1_800_000 }
}

export class ControlServer {
  readonly url: string
  readonly config: EdgeConfig
  /** By edge; what is no guidance goes out as it is. */
  readonly guidance = new Map<string, { version: string; [key: string]: unknown }>()
  /** Edges that hear of no event from now on. */
  readonly deaf = new Set<string>()
  /** Taken so far, of all edges. */
  reports = 0
  readonly #events: ClusterEvent[] = []
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  constructor(port: number, config: EdgeConfig) {
    this.url = `http://127.0.0.1:${port}`
    this.config = config
  }

  async listen(): Promise<void> {
    this.#server.listen(Number(new URL(this.url).port), '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** An event of its own for all that listen; gives its id. */
  purge(purge: Purge): string {
    const id = `${1_700_000_000_000 + this.#events.length}-0`
    this.#events.push({ kind: 'purge', id, atMs: 1, purge })
    return id
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url)
    const reply = await this.#replyTo(url, request)
    response.end(JSON.stringify(reply))
  }

  async #replyTo(url: URL, request: IncomingMessage): Promise<unknown> {
    const edge = url.searchParams.get('edge') ?? ''
    if (url.pathname === '/edge/v1/config') return this.config
    if (url.pathname === '/edge/v1/guidance') return this.guidance.get(edge)
    if (url.pathname === '/edge/v1/events') return this.#eventsFor(edge, url.searchParams)
    if (url.pathname !== '/edge/v1/report') return { ids: [] }
    this.reports++
    const { id } = edgeReportSchema.parse(await json(request))
    return { configVersion: this.config.version, guidanceVersion: this.guidance.get(id)?.version }
  }

  async #eventsFor(edge: string, query: URLSearchParams): Promise<EventsReply> {
    const after = query.get('after') ?? ''
    const behind = () =>
      this.deaf.has(edge) || after === ''
        ? []
        : this.#events.filter(({ id }) => compareEventIds(id, after) > 0)
    let turns = query.get('hold') === '1' && after !== '' ? 100 : 0
    // oxlint-disable-next-line no-await-in-loop -- nothing tells it of an event
    while (turns-- > 0 && behind().length === 0) await delay(20)
    const events = behind()
    const newest = this.deaf.has(edge) ? undefined : this.#events.at(-1)?.id
    return {
      events,
      last: events.at(-1)?.id ?? (after === '' ? (newest ?? NO_EVENT_YET) : after),
      gap: false,
    }
  }
}

/** `settings`: origins and properties, as in the edge.yaml of a standalone edge. */
export async function startControl(t: TestScope, settings: object): Promise<ControlServer> {
  const file = path.join(await tempDirectory(t), 'edge.yaml')
  await writeFile(file, stringify({ id: 'any', cache: { memory: '64MiB' }, ...settings }))
  const loaded = await loadEdgeConfig(file, {})
  if (loaded.mode !== 'standalone') throw new Error('it has properties')
  const control = new ControlServer(await freePort(), edgeConfigOf(loaded.settings))
  await control.listen()
  t.teardown(() => control.stop())
  return control
}

/** An edge that is joined to it; not started. */
export async function joinedTo(
  t: TestScope,
  control: ControlServer,
  id: string,
  config: object = {},
): Promise<TestEdge> {
  const directory = await tempDirectory(t)
  const listen = `127.0.0.1:${await freePort()}`
  const admin = `127.0.0.1:${await freePort()}`
  const settings = {
    id,
    scheduler: [control.url],
    key: 'any-key-is-good-here',
    listen,
    admin,
    cache: { memory: '64MiB', directories: [{ path: './cache', size: '1GiB' }] },
    ...config,
  }
  const configFile = path.join(directory, 'edge.yaml')
  await writeFile(configFile, stringify(settings))
  return new TestEdge(t, { id, url: `http://${listen}`, admin: `http://${admin}`, directory, configFile })
}

/** Guidance for one edge: the secret, and for the property `shows` the tiers; `edges` gives each id its URL. */
export function guidanceOf(
  version: string,
  secrets: PeerSecret[],
  tiers: Guidance['chains'][number]['tiers'] = [],
  edges: readonly TestEdge[] = [],
): Guidance {
  return {
    version,
    site: 'one',
    secrets,
    edges: Object.fromEntries(edges.map(({ id, url }) => [id, { url, weight: 1 }])),
    chains: [{ properties: ['shows'], tiers }],
    origins: {},
  }
}

/** Resolves when the edge has saved this version, and thus goes by it. */
export async function guided(edge: TestEdge, version: string): Promise<void> {
  const file = path.join(edge.directory, 'cache', 'edge-guidance.json')
  await until(`edge ${edge.id} has guidance ${version}`, async () =>
    (await readFile(file, 'utf8')).includes(`"version":"${version}"`),
  )
}
