// Which eviction policy for the disk tier: hit ratios of each on seeded traces, beside what knowing the future
// would give. `node bench/eviction.ts [--requests N]`, a minute or two. Prints tables and writes
// results/eviction.json; docs/decisions/0004-eviction.md says what was made of them.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { chosenPolicy } from '../edge/cache/disk/disk-index.ts'
import { Lru } from '../edge/cache/eviction/lru.ts'
import type { PolicyMaker } from '../edge/cache/eviction/policy.ts'
import { S3Fifo } from '../edge/cache/eviction/s3-fifo.ts'
import { Sieve } from '../edge/cache/eviction/sieve.ts'
import { bound, furthest, simulate } from './eviction-simulate.ts'
import type { Ratios } from './eviction-simulate.ts'
import { behindMemory, live, mixed, scan, vod } from './eviction-traces.ts'
import type { Trace } from './eviction-traces.ts'
import { round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'

const RESULT = fileURLToPath(new URL('results/eviction.json', import.meta.url))
/** Cache sizes as shares of all bytes that a trace asks for. */
const SHARES = [0.01, 0.05, 0.1, 0.3]
const MEMORY_BYTES = 16 * 2 ** 30

const POLICIES: Readonly<Record<string, PolicyMaker>> = {
  LRU: (bytes, slots) => new Lru(bytes, slots),
  SIEVE: (bytes, slots) => new Sieve(bytes, slots),
  'S3-FIFO': (bytes, slots) => new S3Fifo(bytes, slots, { usesToStay: 2, sized: false }),
  'S3-FIFO, 1 use': (bytes, slots) => new S3Fifo(bytes, slots, { usesToStay: 1, sized: false }),
  'sized S3-FIFO': chosenPolicy,
}

interface Row {
  readonly trace: string
  readonly requests: number
  readonly objects: number
  readonly askedGiB: number
  readonly cacheShare: number
  /** Policy, `furthest` and `bound` → percent of requests and of bytes. */
  readonly hits: Readonly<Record<string, Ratios>>
}

const { requests } = new Command('eviction')
  .option('--requests <count>', 'length of a trace', '1500000')
  .parse()
  .opts<{ requests: string }>()

const count = Number(requests)
const rows: Row[] = []
for (const make of [vod, behind, scan, live, mixed]) {
  const trace = make(count)
  const measured = measure(trace)
  rows.push(...measured)
  process.stdout.write(`${describe(trace, measured)}\n\n${formatTable(tableOf(measured))}\n\n`)
}
writeFileSync(RESULT, `${JSON.stringify({ requests: count, rows }, null, 2)}\n`)

function behind(length: number): Trace {
  return behindMemory(vod(length), MEMORY_BYTES)
}

function measure(trace: Trace): Row[] {
  const asked = new Set(trace.requests)
  let askedBytes = 0
  for (const object of asked) askedBytes += trace.sizes[object] ?? 0
  return SHARES.map((share) => {
    const cacheBytes = askedBytes * share
    const hits = Object.fromEntries(
      Object.entries(POLICIES).map(([name, make]) => [name, percent(simulate(trace, cacheBytes, make))]),
    )
    hits['furthest'] = percent(furthest(trace, cacheBytes))
    hits['bound'] = percent(bound(trace, cacheBytes))
    return {
      trace: trace.name,
      requests: trace.requests.length,
      objects: asked.size,
      askedGiB: Math.round(askedBytes / 2 ** 30),
      cacheShare: share,
      hits,
    }
  })
}

function percent({ objects, bytes }: Ratios): Ratios {
  return { objects: round(100 * objects, 2), bytes: round(100 * bytes, 2) }
}

function describe(trace: Trace, [row]: readonly Row[]): string {
  return (
    `${trace.name}: ${trace.what}\n${trace.requests.length} requests for ${row?.objects} objects of ` +
    `${row?.askedGiB} GiB; percent of requests / of bytes that were hits`
  )
}

function tableOf(measured: readonly Row[]): string[][] {
  const names = Object.keys(measured[0]?.hits ?? {})
  return [
    ['cache', ...names],
    ...measured.map((row) => [
      `${row.cacheShare * 100} %`,
      ...names.map((name) => {
        const hits = row.hits[name]
        return `${hits?.objects.toFixed(1)} / ${hits?.bytes.toFixed(1)}`
      }),
    ]),
  ]
}
