// The versions that schedulers share in Redis: one hash of what is known of each by its number, where a number is given
// once (HSETNX), and one beside it of what they were made from, by its own hash. All that is kept is also here, so that
// a store that lost some is given it back, by whoever looks first.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { configVersionSchema } from '../../src/wire/config-rollout.ts'
import type { ConfigVersion } from '../../src/wire/config-rollout.ts'
import { BoundedLog } from '../bounded-log.ts'
import { CONFIG_READ_EVERY_MS, CONFIG_VERSIONS_KEPT, REGISTRY_FIRST_READ_MS } from '../limits.ts'
import { redisProblem } from '../registry/redis-client.ts'
import type { RedisTarget } from '../registry/redis-client.ts'
import { RedisLink } from '../registry/redis-link.ts'
import { unpackSource } from './packed-source.ts'
import type { KeptSource } from './packed-source.ts'
import { NotKeptError } from './version-store.ts'
import type { NewVersion, VersionStore } from './version-store.ts'

export interface RedisVersionsOptions {
  redis: RedisTarget
  cluster: string
  clock: Clock
  log: Logger
  background: Background
}

const storedSchema = configVersionSchema.extend({
  /** Field of what it was made from. */
  source: z.string(),
})

interface Kept {
  readonly version: ConfigVersion
  readonly source: string
  readonly packed: Buffer
}

export class RedisVersions implements VersionStore {
  onChange: (() => void) | null = null
  readonly #options: RedisVersionsOptions
  readonly #link: RedisLink
  readonly #warnings: BoundedLog
  readonly #versionsKey: string
  readonly #sourcesKey: string
  readonly #opened = Promise.withResolvers<void>()
  readonly #timer: NodeJS.Timeout
  /** By number, in their order. */
  #kept = new Map<number, Kept>()
  /** Number that is taken, by whatever. */
  #highest = 0
  #wasRead = false
  #failure = 'not connected yet'
  #reading: Promise<void> | null = null
  #closed = false

  /** Gives the store after its first read, or after a bounded wait without one. */
  static async open(options: RedisVersionsOptions): Promise<RedisVersions> {
    const store = new RedisVersions(options)
    const timer = setTimeout(store.#opened.resolve, REGISTRY_FIRST_READ_MS)
    store.#link.client.connect().catch((error: unknown) => store.#failed(error))
    await store.#opened.promise
    clearTimeout(timer)
    return store
  }

  private constructor(options: RedisVersionsOptions) {
    const { redis, cluster, clock, log, background } = options
    this.#options = options
    this.#link = new RedisLink(redis, clock)
    this.#warnings = new BoundedLog(clock, log)
    // In one slot with the registry's keys.
    this.#versionsKey = `edgeward:{${cluster}}:config`
    this.#sourcesKey = `edgeward:{${cluster}}:config:sources`
    const { client } = this.#link
    // Without a listener an 'error' would end the process; what asks meets the same.
    client.on('error', (error: Error) => this.#failed(error))
    client.on('ready', () => background('read configurations', this.refresh()))
    // The event of a new version may be lost, and what the store lost must come back to it.
    this.#timer = setInterval(() => background('read configurations', this.refresh()), CONFIG_READ_EVERY_MS)
  }

  versions(): readonly ConfigVersion[] | null {
    return this.#wasRead ? [...this.#kept.values()].map(({ version }) => version) : null
  }

  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = null))
    return this.#reading
  }

  sourceOf(number: number): KeptSource | undefined {
    const kept = this.#kept.get(number)
    return kept === undefined ? undefined : unpackSource(kept.packed)
  }

  async append(version: NewVersion, packed: Buffer, after: number): Promise<ConfigVersion | null> {
    const source = createHash('sha256').update(packed).digest('hex')
    const appended = {
      ...version,
      number: Math.max(after, this.#highest) + 1,
      atMs: this.#options.clock.now(),
    }
    if (!this.#link.checkReady()) throw new NotKeptError(`Redis cannot be used: ${this.#failure}`)
    try {
      if (!(await this.#write([{ version: appended, source, packed }]))) return null
    } catch (error) {
      throw new NotKeptError(redisProblem(error, this.#options.redis))
    }
    this.#keep(new Map([...this.#kept, [appended.number, { version: appended, source, packed }]]))
    return appended
  }

  close(): void {
    this.#closed = true
    this.onChange = null
    clearInterval(this.#timer)
    this.#link.client.disconnect()
  }

  async #read(): Promise<void> {
    if (this.#closed || !this.#link.checkReady()) return
    try {
      const stored = await this.#readStored()
      const known = [...this.#kept.values()].filter(({ version }) => !stored.has(version.number))
      const first = Math.max(0, ...stored.keys(), ...this.#kept.keys()) - CONFIG_VERSIONS_KEPT
      const lost = known.filter(({ version }) => version.number > first)
      if (lost.length > 0) {
        this.#options.log.warn({ versions: lost.length }, 'Redis has lost configurations; they are put back')
        await this.#write(lost)
      }
      const isNews = [...stored].some(([number, { source }]) => this.#kept.get(number)?.source !== source)
      const wasRead = this.#wasRead
      this.#wasRead = true
      this.#keep(new Map([...this.#kept, ...stored]))
      this.#opened.resolve()
      if (isNews || !wasRead) this.onChange?.()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** What was read before is not asked for again. */
  async #readStored(): Promise<Map<number, Kept>> {
    const [hash] = z
      .tuple([z.record(z.string(), z.string())])
      .parse(await this.#link.inTime(this.#link.client.pipeline().hgetall(this.#versionsKey)))
    this.#highest = Math.max(0, ...Object.keys(hash).map(Number).filter(Number.isSafeInteger))
    const stored = new Map<number, Kept>()
    for (const text of Object.values(hash)) {
      const parsed = parseStored(text)
      const kept = parsed === undefined ? undefined : await this.#withSource(parsed)
      if (kept === undefined) this.#warnings.warn('version', {}, 'no configuration of this cluster; ignored')
      else stored.set(kept.version.number, kept)
    }
    return stored
  }

  async #withSource({ source, ...version }: z.infer<typeof storedSchema>): Promise<Kept | undefined> {
    const known = [...this.#kept.values()].find((kept) => kept.source === source)
    if (known !== undefined) return { version, source, packed: known.packed }
    const pipeline = this.#link.client.pipeline().hget(this.#sourcesKey, source)
    const [text] = z.tuple([z.string().nullable()]).parse(await this.#link.inTime(pipeline))
    if (text === null) return undefined
    const packed = Buffer.from(text, 'base64')
    // Whoever made it current packed it so.
    const isWhole = createHash('sha256').update(packed).digest('hex') === source
    return isWhole ? { version, source, packed } : undefined
  }

  /** Gives false where the last of them has its number taken. Sources first: a version that can be seen can be run. */
  async #write(versions: readonly Kept[]): Promise<boolean> {
    const pipeline = this.#link.client.pipeline()
    for (const { source, packed } of versions)
      pipeline.hset(this.#sourcesKey, source, packed.toString('base64'))
    for (const { version, source } of versions) {
      const text = JSON.stringify({ ...version, source } satisfies z.infer<typeof storedSchema>)
      pipeline.hsetnx(this.#versionsKey, String(version.number), text)
    }
    const replies = await this.#link.inTime(pipeline)
    return replies.at(-1) === 1
  }

  /** The latest; the store drops the others too. */
  #keep(all: ReadonlyMap<number, Kept>): void {
    const inOrder = [...all].toSorted(([a], [b]) => a - b)
    this.#kept = new Map(inOrder.slice(-CONFIG_VERSIONS_KEPT))
    const dropped = inOrder.slice(0, -CONFIG_VERSIONS_KEPT)
    if (dropped.length === 0 || !this.#link.checkReady()) return
    const sources = new Set([...this.#kept.values()].map(({ source }) => source))
    const pipeline = this.#link.client.pipeline()
    for (const [number, { source }] of dropped) {
      pipeline.hdel(this.#versionsKey, String(number))
      if (!sources.has(source)) pipeline.hdel(this.#sourcesKey, source)
    }
    this.#options.background(
      'drop old configurations',
      this.#link.inTime(pipeline).catch((error: unknown) => this.#failed(error)),
    )
  }

  /** The registry's log says what is wrong with Redis. */
  #failed(error: unknown): void {
    this.#failure = redisProblem(error, this.#options.redis)
    this.#opened.resolve()
  }
}

function parseStored(text: string): z.infer<typeof storedSchema> | undefined {
  try {
    return storedSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
