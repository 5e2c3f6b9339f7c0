// The disk tier outlives the process: what was cached is served at once by the next one, unless it was damaged.
import { globSync, readFileSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FILM = bytesOf(1, 300_000)
/** Of 64 KiB each. */
const FILM_SLICES = 5
const SMALL = bytesOf(2, 1000)
const FRESH = { 'Cache-Control': 'public, max-age=600', ETag: '"v1"', 'Content-Type': 'video/mp4' }

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`the first request after ${signal} is a hit, with the origin gone`, async (t) => {
    const origin = await startOrigin(t, {
      '/film.mp4': { body: FILM, fields: FRESH },
      '/s': { body: SMALL, fields: FRESH },
    })
    const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
    await get(`${edge.url}/film.mp4`)
    await get(`${edge.url}/s`)
    // Only a killed edge leaves writes undone.
    if (signal === 'SIGKILL') await written(edge, FILM_SLICES + 1)

    await edge.restart(signal)
    await origin.stop()

    for (const [url, body] of [['/film.mp4', FILM] as const, ['/s', SMALL] as const]) {
      const reply = await get(edge.url + url)
      t.equal(reply.status, 200)
      t.equal(cacheStatusOf(reply).get('hit'), true, 'a hit')
      t.ok(reply.body.equals(body), 'the same bytes')
      t.match(reply.headers, { etag: '"v1"', 'content-type': 'video/mp4' })
    }
    const part = await get(`${edge.url}/film.mp4`, { headers: { Range: 'bytes=65530-65545' } })
    t.ok(part.body.equals(FILM.subarray(65_530, 65_546)), 'a range across slices')
  })
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`what a 304 said of a stored object holds after ${signal}`, async (t) => {
    const origin = await startOrigin(t, {
      '/film.mp4': (_request, nth) => ({
        body: FILM,
        fields:
          nth === 1
            ? { ...FRESH, 'Cache-Control': 'no-cache', 'X-From': 'first' }
            : { ...FRESH, 'X-From': 'second' },
      }),
    })
    const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
    await get(`${edge.url}/film.mp4`)
    await written(edge, FILM_SLICES)
    const asked = await get(`${edge.url}/film.mp4`)
    t.equal(asked.headers['x-from'], 'second')
    if (signal === 'SIGKILL') {
      await until('the new head is on disk', () =>
        files(edge).some((file) => readFileSync(file).includes('second')),
      )
    }
    await edge.restart(signal)
    await origin.stop()
    const reply = await get(`${edge.url}/film.mp4`)
    t.equal(cacheStatusOf(reply).get('hit'), true, 'fresh, as it said')
    t.equal(reply.headers['x-from'], 'second')
    t.ok(reply.body.equals(FILM))
  })
}

t.test(
  'killed while it writes new heads over old ones: every object is there, and is what it was',
  async (t) => {
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`)
    const bodies = new Map(paths.map((path, i) => [path, bytesOf(i, 70_000)] as const))
    const origin = await startOrigin(t, {})
    for (const [path, body] of bodies) {
      // Asked for anew each time, and each time with another head.
      origin.on(path, (_request, nth) => ({
        body,
        fields: { 'Cache-Control': 'max-age=0', ETag: '"v1"', 'X-Padding': 'x'.repeat((nth * 37) % 300) },
      }))
    }
    const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
    await Promise.all(paths.map((path) => get(edge.url + path)))
    await written(edge, 20 * 2)
    for (const replies of [1, 30, 80, 150]) {
      const enough = Promise.withResolvers<void>()
      let seen = 0
      const asking = Array.from({ length: 200 }, async (_, i) => {
        await get(edge.url + (paths[i % paths.length] ?? '')).catch(() => null)
        if (++seen === replies) enough.resolve()
      })
      await enough.promise
      await edge.restart('SIGKILL')
      await Promise.all(asking)
      await origin.stop()
      for (const [path, body] of bodies) {
        const reply = await get(edge.url + path)
        t.ok(reply.status === 200 && reply.complete && reply.body.equals(body), `${path} after ${replies}`)
      }
      await origin.start()
    }
  },
)

t.test('a slice damaged by a crash is fetched again, never served', async (t) => {
  const origin = await startOrigin(t, { '/film.mp4': { body: FILM, fields: FRESH } })
  const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
  await get(`${edge.url}/film.mp4`)
  await written(edge, FILM_SLICES)
  await edge.stop('SIGKILL')
  for (const file of files(edge)) await flipLastByte(file)
  await edge.start()

  const first = await get(`${edge.url}/film.mp4`)
  t.notOk(first.complete && !first.body.equals(FILM), 'no wrong byte in a reply that looks whole')
  const second = await get(`${edge.url}/film.mp4`)
  t.ok(second.complete && second.body.equals(FILM))
  t.ok(origin.count('/film.mp4') > 1, 'asked again')
})

t.test('files that are no slices do not stop a start', async (t) => {
  const origin = await startOrigin(t, { '/film.mp4': { body: FILM, fields: FRESH } })
  const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
  await get(`${edge.url}/film.mp4`)
  await written(edge, FILM_SLICES)
  await edge.stop('SIGKILL')
  for (const file of files(edge)) {
    const handle = await open(file, 'r+')
    await handle.truncate(Math.floor((await stat(file)).size / 2))
    await handle.close()
  }
  await edge.start()

  const reply = await get(`${edge.url}/film.mp4`)
  t.ok(reply.body.equals(FILM))
})

/** Resolves when so many slices are on disk: a file has its name once it is whole. */
async function written(edge: TestEdge, slices: number): Promise<void> {
  await until('the slices are on disk', () => files(edge).length === slices)
}

/** Slices are kept under two hex digits. */
function files(edge: TestEdge): string[] {
  const cache = path.join(edge.directory, 'cache')
  return globSync('[0-9a-f][0-9a-f]/*', { cwd: cache }).map((file) => path.join(cache, file))
}

async function flipLastByte(file: string): Promise<void> {
  const bytes = await readFile(file)
  const handle = await open(file, 'r+')
  await handle.write(Buffer.from([(bytes.at(-1) ?? 0) ^ 0xff]), 0, 1, bytes.length - 1)
  await handle.close()
}
