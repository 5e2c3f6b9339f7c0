// A disk that fills up, turns read-only or goes away under a running edge: replies stay right, the edge stays
// up, and says that it is degraded once it is.
import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import path from 'node:path'
import t from 'tap'
import { get } from '../kit/client.ts'
import { prepareEdge, startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { LIBRARY_SLICE, readAllOf, startLibrary } from '../kit/library.ts'
import { DaemonFailed } from '../kit/process.ts'
import { detach, freeBytesOf, makeReadOnly, mountTmpfs, tmpfsRefusal } from '../kit/tmpfs.ts'
import { until } from '../kit/until.ts'

const OBJECTS = 40
const skip = tmpfsRefusal()

function cacheIn(directory: string, more: object = {}): Record<string, unknown> {
  return {
    cache: {
      memory: '256KiB',
      slice: `${LIBRARY_SLICE / 1024}KiB`,
      directories: [{ path: directory, size: '1GiB', ...more }],
    },
  }
}

async function metric(edge: TestEdge, name: string): Promise<number> {
  const { text } = await get(`${edge.admin}/metrics`, { agent: new Agent() })
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

const degraded = (edge: TestEdge) => metric(edge, 'edgeward_edge_disk_degraded')

t.test('a file system smaller than the configured size', { skip }, async (t) => {
  const library = await startLibrary(t, OBJECTS)
  const disk = await mountTmpfs(t, '4m')
  const edge = await startEdge(t, { origin: library.origin.url, config: cacheIn(path.join(disk, 'cache')) })
  for (let i = 0; i < 2; i++) t.equal(await readAllOf(edge.url, library), OBJECTS)
  t.equal(await degraded(edge), 0)
  await until('writes are done', async () => (await metric(edge, 'edgeward_edge_disk_tier_bytes')) > 2e6)
  t.ok(freeBytesOf(disk) > 0.04 * 4 * 2 ** 20, 'a twentieth is left free')
  await edge.restart('SIGKILL')
  t.equal(await readAllOf(edge.url, library), OBJECTS)
})

t.test('`free` is left free', { skip }, async (t) => {
  const library = await startLibrary(t, OBJECTS)
  const disk = await mountTmpfs(t, '8m')
  const edge = await startEdge(t, {
    origin: library.origin.url,
    config: cacheIn(path.join(disk, 'cache'), { free: '5MiB' }),
  })
  for (let i = 0; i < 2; i++) t.equal(await readAllOf(edge.url, library), OBJECTS)
  await edge.stop()
  t.ok(freeBytesOf(disk) > 4.8 * 2 ** 20)
})

t.test('full of what is not ours: degraded until there is room again', { skip }, async (t) => {
  const library = await startLibrary(t, OBJECTS)
  const disk = await mountTmpfs(t, '8m')
  const filler = path.join(disk, 'filler')
  fillUp(filler)
  // What the edge needs to start.
  truncateSync(filler, statSync(filler).size - 100_000)
  const edge = await startEdge(t, { origin: library.origin.url, config: cacheIn(path.join(disk, 'cache')) })
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  await until('it is degraded', async () => (await degraded(edge)) === 1)
  rmSync(filler)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  await until('it is not any more', async () => (await degraded(edge)) === 0)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  fillUp(filler)
  t.equal(await readAllOf(edge.url, library), OBJECTS, 'filled while it serves')
})

t.test('turned read-only', { skip }, async (t) => {
  const library = await startLibrary(t, OBJECTS)
  const disk = await mountTmpfs(t, '64m')
  const edge = await startEdge(t, { origin: library.origin.url, config: cacheIn(disk) })
  const half = { ...library, objects: library.objects.slice(0, OBJECTS / 2) }
  t.equal(await readAllOf(edge.url, half), OBJECTS / 2)
  makeReadOnly(t, disk)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  await until('it is degraded', async () => (await degraded(edge)) === 1)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  t.match(edge.process.stderr(), /EROFS/)
})

t.test('its directory is removed', async (t) => {
  const library = await startLibrary(t, OBJECTS)
  const edge = await startEdge(t, { origin: library.origin.url, config: cacheIn('./cache') })
  const half = { ...library, objects: library.objects.slice(0, OBJECTS / 2) }
  t.equal(await readAllOf(edge.url, half), OBJECTS / 2)
  rmSync(path.join(edge.directory, 'cache'), { recursive: true })
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  await until('it is degraded', async () => (await degraded(edge)) === 1)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  await edge.restart()
  t.equal(await degraded(edge), 0, 'a start makes it anew')
})

t.test('its file system is taken away', { skip }, async (t) => {
  const library = await startLibrary(t, OBJECTS)
  const disk = await mountTmpfs(t, '64m')
  const edge = await startEdge(t, { origin: library.origin.url, config: cacheIn(disk) })
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  detach(disk)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
  await until('it is degraded', async () => (await degraded(edge)) === 1)
  t.equal(await readAllOf(edge.url, library), OBJECTS)
})

t.test('a directory that another edge uses stops the start, and says which', async (t) => {
  const library = await startLibrary(t, 1)
  const first = await startEdge(t, { origin: library.origin.url })
  const directory = path.join(first.directory, 'cache')
  const second = await prepareEdge(t, { origin: library.origin.url, config: cacheIn(directory) })
  const failure = await second.start().catch((error: unknown) => error)
  t.ok(failure instanceof DaemonFailed)
  t.match(failure, { status: { code: 2 } })
  t.match(failure, { stderr: new RegExp(`used by another edge, process ${first.process.pid}\\b`) })
  await first.stop('SIGKILL')
  await second.start()
  t.equal(await readAllOf(second.url, library), 1, 'free once the other is gone, however it went')
})

function fillUp(file: string): void {
  try {
    for (;;) writeFileSync(file, Buffer.alloc(64 * 1024), { flag: 'a' })
  } catch {
    return
  }
}
