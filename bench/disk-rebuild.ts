// How long a start takes to know what a cache directory of a million slices holds, and what that does to
// requests meanwhile: `node bench/disk-rebuild.ts [--slices N] [--in DIRECTORY] [--cold]`. Writes
// results/disk-rebuild.json. The directory is made (a minute or two) and removed. --cold empties the
// system's caches before each start, for which it must be root.
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { z } from 'zod'
import type { Start } from './lib/disk-start.ts'
import { describeMachine } from './lib/machine.ts'
import { formatTable } from './lib/table.ts'

const RESULT = fileURLToPath(new URL('results/disk-rebuild.json', import.meta.url))
const START = fileURLToPath(new URL('lib/disk-start.ts', import.meta.url))

const startSchema: z.ZodType<Start> = z.object({
  slices: z.number(),
  rebuildSeconds: z.number(),
  cpuSeconds: z.number(),
  loopDelayP99Ms: z.number(),
  loopDelayMaxMs: z.number(),
  readsMeanwhile: z.number(),
  readP50Ms: z.number(),
  readP99Ms: z.number(),
  readMaxMs: z.number(),
  residentBytes: z.number(),
})

const options = new Command('disk-rebuild')
  .option('--slices <count>', 'files in the directory', '1000000')
  .option('--in <directory>', 'where the directory is made', tmpdir())
  .option('--cold', 'empty the system’s caches before each start')
  .parse()
  .opts<{ slices: string; in: string; cold?: true }>()

const directory = mkdtempSync(path.join(options.in, 'edgeward-rebuild-'))
try {
  const slices = Number(options.slices)
  // The first start makes the folders, and slices to be read during the others.
  await start('make')
  fill(slices)
  const rows: [string, Start][] = [
    ['after a crash', await start('crash')],
    ['after a crash, caches warm', await start('clean', false)],
    ['after a clean stop', await start('clean')],
    ['idle, for comparison', await start('idle', false)],
  ]
  report(rows)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function report(rows: readonly [string, Start][]): void {
  const head = [
    'start',
    'slices',
    'seconds',
    'CPU s',
    'loop p99 ms',
    'max',
    'reads',
    'p50 ms',
    'p99',
    'max',
    'RSS MB',
  ]
  const lines = rows.map(([name, s]) => [
    name,
    String(s.slices),
    s.rebuildSeconds.toFixed(1),
    s.cpuSeconds.toFixed(1),
    s.loopDelayP99Ms.toFixed(1),
    s.loopDelayMaxMs.toFixed(1),
    String(s.readsMeanwhile),
    s.readP50Ms.toFixed(2),
    s.readP99Ms.toFixed(2),
    s.readMaxMs.toFixed(2),
    (s.residentBytes / 1e6).toFixed(0),
  ])
  process.stdout.write(`${formatTable([head, ...lines])}\n`)
  const result = { machine: describeMachine(), cold: options.cold === true, starts: Object.fromEntries(rows) }
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
}

/** Files as slices have them, but empty: a start reads names and sizes alone. */
function fill(slices: number): void {
  for (let i = 0; i < slices; i++) {
    const word = (salt: number) => (Math.imul(i + salt, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')
    const name = word(1) + word(7) + i.toString(16).padStart(8, '0')
    const folder = path.join(directory, name.slice(0, 2))
    closeSync(openSync(path.join(folder, name), 'w'))
  }
}

async function start(how: string, cold = options.cold === true): Promise<Start> {
  if (cold) {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '3')
  }
  const child = fork(START, [directory, how])
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  const measured = startSchema.parse(message)
  if (child.exitCode === null) await once(child, 'exit')
  return measured
}
