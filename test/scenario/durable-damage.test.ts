// Files of the cache that are no longer what was written: right bytes are fetched again, wrong ones never sent.
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { sliceFiles } from '../kit/disk-rig.ts'
import { bytesOf } from '../kit/bytes.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { LIBRARY_SLICE, readAllOf, startLibrary } from '../kit/library.ts'
import { until } from '../kit/until.ts'

const OBJECTS = 24

type Damage = (file: string, other: string) => void

const DAMAGES: Readonly<Record<string, Damage>> = {
  empty: (file) => truncateSync(file, 0),
  'cut in its head': (file) => truncateSync(file, 100),
  'cut by a byte': (file) => truncateSync(file, readFileSync(file).length - 1),
  longer: (file) => writeFileSync(file, 'x', { flag: 'a' }),
  'flipped in its prelude': (file) => flip(file, 5),
  'flipped in its head': (file) => flip(file, 60),
  'flipped at its end': (file) => flip(file, readFileSync(file).length - 1),
  'random bytes': (file) => writeFileSync(file, bytesOf(99, 70_000)),
  'another slice’s': (file, other) => copyFileSync(other, file),
  'a directory': (file) => {
    rmSync(file)
    mkdirSync(file)
  },
  gone: (file) => rmSync(file),
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`after ${signal}, every file damaged in one of ${Object.keys(DAMAGES).length} ways`, async (t) => {
    const library = await startLibrary(t, OBJECTS)
    const edge = await startEdge(t, edgeOf(library.origin.url))
    await fill(edge, library)
    await edge.stop(signal)
    const files = filesOf(edge)
    const damages = Object.values(DAMAGES)
    files.forEach((file, i) => damages[i % damages.length]?.(file, files[(i + 1) % files.length] ?? file))
    await edge.start()
    // A reply may fail when its first slices were good and a later one was not.
    await readAllOf(edge.url, library)
    t.equal(await readAllOf(edge.url, library), OBJECTS, 'at the second time all are whole')
    await edge.restart()
    t.equal(await readAllOf(edge.url, library), OBJECTS)
  })
}

t.test('damaged under a running edge that has the files open', async (t) => {
  const library = await startLibrary(t, OBJECTS)
  const edge = await startEdge(t, edgeOf(library.origin.url))
  await fill(edge, library)
  t.equal(await readAllOf(edge.url, library), OBJECTS, 'open from now on')
  for (const file of filesOf(edge)) truncateSync(file, 50)
  await readAllOf(edge.url, library)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
})

function edgeOf(origin: string): Parameters<typeof startEdge>[1] {
  return {
    origin,
    config: {
      // So little that objects are read from disk.
      cache: {
        memory: '16KiB',
        slice: `${LIBRARY_SLICE / 1024}KiB`,
        directories: [{ path: './cache', size: '1GiB' }],
      },
    },
  }
}

async function fill(edge: TestEdge, library: Awaited<ReturnType<typeof startLibrary>>): Promise<void> {
  await readAllOf(edge.url, library)
  await until('every slice is on disk', () => {
    const bytes = filesOf(edge).reduce((sum, file) => sum + readFileSync(file).length, 0)
    return bytes > library.bytes
  })
}

function filesOf(edge: TestEdge): string[] {
  return sliceFiles([path.join(edge.directory, 'cache')])
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
  writeFileSync(file, bytes)
}
