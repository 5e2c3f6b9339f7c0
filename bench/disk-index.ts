// What a slice costs in the index of a cache directory, at a million slices and in a process of its own:
// `node bench/disk-index.ts`. Prints, and writes results/disk-index.json.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SliceIndex } from '../edge/cache/disk/disk-index.ts'
import { systemClock } from '../src/clock.ts'
import { describeMachine } from './lib/machine.ts'
import { round } from './lib/stats.ts'

const RESULT = fileURLToPath(new URL('results/disk-index.json', import.meta.url))
const SLICES = 1_000_000
const SLICES_MAX = 8 * 2 ** 20

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

function memory(): { resident: number; heapAndBuffers: number } {
  if (typeof collectGarbage === 'function') collectGarbage()
  const use = process.memoryUsage()
  return { resident: use.rss, heapAndBuffers: use.heapUsed + use.external }
}

function idOf(i: number) {
  const mix = (salt: number) => Math.imul(i ^ salt, 0x9e3779b1) ^ (Math.imul(i + salt, 0x85ebca6b) >>> 13)
  return { a: mix(1) >>> 0, b: mix(2) >>> 0, c: i }
}

/** Times every call; gives the mean in microseconds and the longest in milliseconds. */
function timed(count: number, call: (i: number) => void): { meanMicroseconds: number; longestMs: number } {
  let longestMs = 0
  const startMs = systemClock.monotonic()
  let beforeMs = startMs
  for (let i = 0; i < count; i++) {
    call(i)
    const nowMs = systemClock.monotonic()
    longestMs = Math.max(longestMs, nowMs - beforeMs)
    beforeMs = nowMs
  }
  return {
    meanMicroseconds: round((1000 * (beforeMs - startMs)) / count, 3),
    longestMs: round(longestMs, 3),
  }
}

// Compiled code and its garbage are not the index's.
const rehearsal = new SliceIndex(SLICES_MAX)
for (let i = 0; i < 50_000; i++) rehearsal.add(idOf(i), 2 ** 21)
for (let i = 0; i < 50_000; i++) rehearsal.evict()

const before = memory()
const index = new SliceIndex(SLICES_MAX)
const add = timed(SLICES, (i) => index.add(idOf(i), 2 ** 21))
const after = memory()
const hit = timed(SLICES, (i) => index.hit(idOf(Math.imul(i, 7919) % SLICES)))
// A full cache: each new slice pushes one out, which the ghosts remember.
const replace = timed(SLICES, (i) => {
  index.evict()
  index.add(idOf(SLICES + i), 2 ** 21)
})
const atEnd = memory()

const bytesPerSlice = {
  resident: round((after.resident - before.resident) / index.count, 1),
  heapAndBuffers: round((after.heapAndBuffers - before.heapAndBuffers) / index.count, 1),
  residentAfterAMillionEvictions: round((atEnd.resident - before.resident) / index.count, 1),
}
const result = { machine: describeMachine(), slices: index.count, bytesPerSlice, add, hit, replace }
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
process.stdout.write(
  `${index.count} slices\n` +
    `bytes a slice: ${bytesPerSlice.resident} resident, ${bytesPerSlice.heapAndBuffers} heap and buffers, ` +
    `${bytesPerSlice.residentAfterAMillionEvictions} resident after a million evictions\n` +
    [['add', add] as const, ['hit', hit] as const, ['evict and add', replace] as const]
      .map(([name, time]) => `${name}: ${time.meanMicroseconds} us, longest ${time.longestMs} ms\n`)
      .join(''),
)
