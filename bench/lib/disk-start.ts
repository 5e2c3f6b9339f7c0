// One start of a disk tier in a process of its own, for disk-rebuild.ts: reads known slices, one after the
// other, until the index is rebuilt, and says how long both took. Arguments: the directory, and how to end.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { BufferPool } from '../../edge/cache/buffer-pool.ts'
import { DiskTier } from '../../edge/cache/disk/disk-tier.ts'
import type { ObjectMeta } from '../../edge/cache/object-meta.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/log.ts'
import { percentile } from './stats.ts'

export interface Start {
  slices: number
  rebuildSeconds: number
  /** Processor time of the serving thread and of the scan together. */
  cpuSeconds: number
  loopDelayP99Ms: number
  loopDelayMaxMs: number
  readsMeanwhile: number
  readP50Ms: number
  readP99Ms: number
  readMaxMs: number
  residentBytes: number
}

const KNOWN = 2000
const BODY = Buffer.alloc(64 * 1024, 7)
const ROOM = { size: 2 ** 42, free: 0 }
const IDLE_MS = 3000

const [directory = '', how = ''] = process.argv.slice(2)
const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()
let startMs = systemClock.monotonic()
let rebuilt = false
const rebuild = Promise.withResolvers<void>()
const tier = new DiskTier(
  [{ ...ROOM, path: directory }],
  new BufferPool(),
  silentLogger,
  (name, work) => {
    if (name === 'rebuild cache index') rebuild.resolve(work.then(() => void (rebuilt = true)))
  },
  () => {},
)
const reads: number[] = [0]
let rebuildMs = 0
if (how === 'make') await make()
else {
  if (how === 'idle') await idle()
  await readUntil(() => (how === 'idle' ? systemClock.monotonic() - startMs > IDLE_MS : rebuilt))
}
delays.disable()
const { user, system } = process.cpuUsage()
const measured: Start = {
  slices: tier.slices,
  rebuildSeconds: rebuildMs / 1000,
  cpuSeconds: (user + system) / 1e6,
  loopDelayP99Ms: delays.percentile(99) / 1e6,
  loopDelayMaxMs: delays.max / 1e6,
  readsMeanwhile: reads.length,
  readP50Ms: percentile(reads, 0.5),
  readP99Ms: percentile(reads, 0.99),
  readMaxMs: Math.max(0, ...reads),
  residentBytes: process.memoryUsage().rss,
}
await new Promise((resolve) => process.send?.(measured, resolve))
if (how === 'crash') process.kill(process.pid, 'SIGKILL')
await tier.close()
process.disconnect?.()

/** Measures from when the index is complete. */
async function idle(): Promise<void> {
  await rebuild.promise
  startMs = systemClock.monotonic()
  delays.reset()
}

async function make(): Promise<void> {
  for (let i = 0; i < KNOWN; i++) {
    tier.store(metaOf(i), 0, BODY)
    if (i % 100 === 99) await wait(50)
  }
}

async function readUntil(done: () => boolean): Promise<void> {
  const buffer = Buffer.alloc(BODY.length)
  for (let i = 0; !done(); i++) {
    const beforeMs = systemClock.monotonic()
    const slice = await tier.open(`p /${Math.imul(i, 7919) % KNOWN}`, 0)
    await slice?.read(buffer, 0, buffer.length)
    slice?.close()
    reads.push(systemClock.monotonic() - beforeMs)
    rebuildMs = systemClock.monotonic() - startMs
    // As a server with requests to spare time between does.
    await wait(1)
  }
}

function metaOf(i: number): ObjectMeta {
  return {
    key: `p /${i}`,
    version: `"v1"/${BODY.length}`,
    status: 200,
    fields: new FieldBlock(['Content-Type', 'video/mp4', 'ETag', '"v1"']),
    date: 'Wed, 01 Jul 2026 12:00:00 GMT',
    etag: '"v1"',
    lastModified: undefined,
    length: BODY.length,
    sliceBytes: 2 ** 21,
    ranges: true,
    receivedMs: 0,
    initialAgeMs: 0,
    lifetimeMs: 1e9,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    selecting: [],
    asOf: 0,
    held: { upTo: 0 },
  }
}
