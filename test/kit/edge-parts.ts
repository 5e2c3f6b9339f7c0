// Parts of an edge without its listeners, for tests of the parts: an object's head, and a cache with the fills
// that fetch into it from a real origin.
import { BufferPool } from '../../edge/cache/buffer-pool.ts'
import { Cache } from '../../edge/cache/cache.ts'
import { DiskTier } from '../../edge/cache/disk/disk-tier.ts'
import { MemoryTier } from '../../edge/cache/memory-tier.ts'
import type { ObjectMeta } from '../../edge/cache/object-meta.ts'
import type { FetchOutcome, FetchTarget, ObjectOutcome } from '../../edge/fill/fetch.ts'
import { Fills } from '../../edge/fill/fills.ts'
import { ObjectReader } from '../../edge/fill/object-reader.ts'
import type { Pull } from '../../edge/fill/pull.ts'
import { upstreamOrigin } from '../../edge/upstream/origin.ts'
import type { UpstreamOrigin } from '../../edge/upstream/origin.ts'
import type { PropertyChain } from '../../edge/upstream/property-chain.ts'
import { Upstreams } from '../../edge/upstream/upstreams.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import { recordingLog } from './recording-log.ts'
import type { TestScope } from './scope.ts'

/** A stored object of a million bytes, in slices of 2 MiB, but for what the test says of it. */
export function objectMeta(change: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    key: 'p /a',
    version: '"v1"/1000000',
    status: 200,
    fields: NO_FIELDS,
    date: 'Wed, 01 Jul 2026 12:00:00 GMT',
    etag: '"v1"',
    lastModified: undefined,
    length: 1_000_000,
    sliceBytes: 2 ** 21,
    ranges: true,
    receivedMs: 0,
    initialAgeMs: 0,
    lifetimeMs: 0,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    selecting: [],
    asOf: 0,
    held: { upTo: 0 },
    ...change,
  }
}

export const PULL_RULE: FetchTarget['rule'] = {
  overrideMs: undefined,
  defaultMs: 0,
  staleIfErrorMs: 0,
  ownCors: true,
  forwards: () => true,
  setCookie: 'pass',
  memoryOnly: false,
}

/** An origin of which nothing is said but where it is. */
export function plainOrigin(url: string, id = 'studio'): UpstreamOrigin {
  const timeouts = { connect: 3000, head: 10_000, body: 15_000 }
  const settings = { id, url, headers: {}, connections: 64, timeouts }
  return upstreamOrigin(settings, { id, weight: 1, backup: false, sites: [] })
}

/** Of property `p`, in order. */
export function plainChain(origins: UpstreamOrigin[]): PropertyChain {
  const failover = { statuses: [500, 502, 503, 504], attempts: 3, hedge: false as const }
  return { property: 'p', origins, choice: 'order', failover }
}

/** What a request for `/film` without fields of its own asks for. */
export function fetchTarget(originUrl: string, change: Partial<FetchTarget> = {}): FetchTarget {
  return {
    primaryKey: 'p /film',
    key: 'p /film',
    path: '/film',
    chain: plainChain([plainOrigin(originUrl)]),
    rule: PULL_RULE,
    fields: [],
    header: () => undefined,
    askedAs: null,
    authorised: false,
    onInterim: null,
    ...change,
  }
}

export interface PartsOptions {
  originUrl: string
  slice: number
  memory?: number
  /** None: memory alone. */
  directory?: string
}

/** A cache, its fills and one object, `/film`, to fetch. */
export class EdgeParts {
  readonly cache: Cache
  readonly fills: Fills
  /** A test may put another in its place. */
  target: FetchTarget

  constructor(options: PartsOptions, upstreams: Upstreams) {
    const { log } = recordingLog()
    const pool = new BufferPool()
    const directories = options.directory === undefined ? [] : [{ path: options.directory, size: 2 ** 30 }]
    const disk = new DiskTier(directories, pool, log, backgroundRunner(log), () => {})
    this.cache = new Cache(new MemoryTier(options.memory ?? 64 * 2 ** 20), disk, pool, options.slice)
    this.fills = new Fills(this.cache, upstreams, systemClock, options.slice, 'gz-1')
    this.target = fetchTarget(options.originUrl)
  }

  fetch(from = 0, stale?: ObjectMeta): Promise<FetchOutcome> {
    return this.fills.fetch(this.target, stale, from)
  }

  async fetchObject(from = 0): Promise<ObjectOutcome> {
    const outcome = await this.fetch(from)
    if (outcome.kind !== 'object') throw new Error(`${outcome.kind}, not an object`)
    return outcome
  }

  /** Everything from `start` to `end`, as a client without haste reads it. */
  async read(meta: ObjectMeta, pull: Pull | null, start = 0, end = meta.length ?? Infinity): Promise<Buffer> {
    const reader = new ObjectReader(this.cache, this.fills, () => this.target, meta, { start, end }, pull)
    const pieces: Buffer[] = []
    try {
      for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
        pieces.push(Buffer.from(piece))
      }
    } finally {
      reader.close()
    }
    return Buffer.concat(pieces)
  }

  /** As a new client: from the cache if the object is there, else fetched. */
  async readAnew(start = 0, end = Infinity): Promise<Buffer> {
    const { key } = this.target
    const known = this.cache.findMeta(key) ?? (await this.cache.loadMeta(key))
    const found = known === undefined ? await this.fetchObject(start) : { meta: known, pull: null }
    return this.read(found.meta, found.pull, start, Math.min(end, found.meta.length ?? Infinity))
  }
}

export function openParts(t: TestScope, options: PartsOptions): EdgeParts {
  const upstreams = new Upstreams()
  const parts = new EdgeParts(options, upstreams)
  t.teardown(async () => {
    await upstreams.close()
    await parts.cache.disk.close()
  })
  return parts
}
