// The demo's origin over HTTP: what it serves, ranges, validators, live paths at a held clock, and counts.
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import type { Clock } from '../../src/clock.ts'
import { SEGMENT_MS } from '../../src/commands/demo/live.ts'
import { loadMedia } from '../../src/commands/demo/media.ts'
import { createOriginServer } from '../../src/commands/demo/origin.ts'
import { parseRange } from '../../src/commands/demo/serve.ts'
import { listen } from '../../src/net/listen.ts'

const NEWEST = 30_000_007
let nowMs = (NEWEST + 1) * SEGMENT_MS
const clock: Clock = { now: () => nowMs, monotonic: () => nowMs }

const server = createOriginServer(await loadMedia(), clock)
const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'the test')
t.teardown(() => {
  server.close()
  server.closeAllConnections()
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

// node:http sends the path as it is; fetch would tidy `/../` away.
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port, path, headers, method }).end()
  const [response] = await once(sent, 'response')
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}

const clip = await readFile(new URL('../../deploy/demo/media/clip.mp4', import.meta.url))

t.test('types and lifetimes', async (t) => {
  const expected: [string, string, string][] = [
    ['/vod/fmp4/main.m3u8', 'application/vnd.apple.mpegurl', 'public, max-age=300'],
    ['/vod/fmp4/v0/index.m3u8', 'application/vnd.apple.mpegurl', 'public, max-age=300'],
    ['/vod/fmp4/v0/init.mp4', 'video/mp4', 'public, max-age=86400'],
    ['/vod/fmp4/a0/seg-29.m4s', 'video/iso.segment', 'public, max-age=86400'],
    ['/vod/ts/v2/seg-0.mpegts', 'video/mp2t', 'public, max-age=86400'],
    ['/vod/clip.mp4', 'video/mp4', 'public, max-age=86400'],
    ['/player.html', 'text/html; charset=utf-8', 'public, max-age=60'],
    ['/hls.min.js', 'text/javascript; charset=utf-8', 'public, max-age=86400'],
    ['/live/ts/main.m3u8', 'application/vnd.apple.mpegurl', 'public, max-age=300'],
    ['/live/fmp4/a0/index.m3u8', 'application/vnd.apple.mpegurl', 'public, max-age=1'],
    ['/live/fmp4/v1/init.mp4', 'video/mp4', 'public, max-age=86400'],
    [`/live/fmp4/v1/seg-${NEWEST}.m4s`, 'video/iso.segment', 'public, max-age=300'],
    [`/live/ts/v1/seg-${NEWEST}.mpegts?token=x`, 'video/mp2t', 'public, max-age=300'],
  ]
  for (const [path, type, cacheControl] of expected) {
    const answer = await ask(path)
    t.equal(answer.status, 200, path)
    t.equal(answer.headers['content-type'], type, path)
    t.equal(answer.headers['cache-control'], cacheControl, path)
    t.match(answer.headers.etag, /^"[\w-]{22}"$/, path)
    t.equal(Number(answer.headers['content-length']), answer.body.length, path)
  }
})

t.test('a recording, its head and its pieces', async (t) => {
  const whole = await ask('/vod/clip.mp4')
  t.ok(whole.body.equals(clip), 'byte for byte the file')
  const head = await ask('/vod/clip.mp4', {}, 'HEAD')
  t.equal(head.status, 200)
  t.equal(head.body.length, 0)
  t.equal(head.headers['content-length'], String(clip.length))

  const part = await ask('/vod/clip.mp4', { Range: 'bytes=1000-1999' })
  t.equal(part.status, 206)
  t.equal(part.headers['content-range'], `bytes 1000-1999/${clip.length}`)
  t.ok(part.body.equals(clip.subarray(1000, 2000)))
  const tail = await ask('/vod/clip.mp4', { Range: 'bytes=-7' })
  t.ok(tail.body.equals(clip.subarray(-7)))
  const beyond = await ask('/vod/clip.mp4', { Range: `bytes=${clip.length}-` })
  t.equal(beyond.status, 416)
  t.equal(beyond.headers['content-range'], `bytes */${clip.length}`)
})

t.test('validators', async (t) => {
  const { headers } = await ask('/vod/clip.mp4')
  const etag = headers.etag ?? ''
  const modified = headers['last-modified'] ?? ''
  t.equal((await ask('/vod/clip.mp4', { 'If-None-Match': `"other", W/${etag}` })).status, 304)
  t.equal((await ask('/vod/clip.mp4', { 'If-None-Match': '"other"' })).status, 200)
  t.equal((await ask('/vod/clip.mp4', { 'If-Modified-Since': modified })).status, 304)
  const older = { 'If-Modified-Since': new Date(Date.parse(modified) - 1000).toUTCString() }
  t.equal((await ask('/vod/clip.mp4', older)).status, 200)
  const both = { 'If-None-Match': '"other"', 'If-Modified-Since': modified }
  t.equal((await ask('/vod/clip.mp4', both)).status, 200, 'the tag outweighs the date')
  const range = { Range: 'bytes=0-9' }
  t.equal((await ask('/vod/clip.mp4', { ...range, 'If-Range': etag })).status, 206)
  t.equal((await ask('/vod/clip.mp4', { ...range, 'If-Range': '"other"' })).status, 200)
})

t.test('live goes on with the clock and gives the recording’s bytes', async (t) => {
  const path = `/live/fmp4/v0/seg-${NEWEST + 1}.m4s`
  const before = await ask('/live/fmp4/v0/index.m3u8')
  t.equal((await ask(path)).status, 404)
  nowMs += SEGMENT_MS
  const after = await ask('/live/fmp4/v0/index.m3u8')
  t.not(after.headers.etag, before.headers.etag)
  t.match(after.body.toString(), `seg-${NEWEST + 1}.m4s`)
  t.notMatch(before.body.toString(), `seg-${NEWEST + 1}.m4s`)
  const live = await ask(path)
  const recorded = await ask(`/vod/fmp4/v0/seg-${(NEWEST + 1) % 30}.m4s`)
  t.equal(live.status, 200)
  t.ok(live.body.equals(recorded.body))
})

t.test('nothing else', async (t) => {
  const paths = [
    '/',
    '/vod/',
    '/vod/../make-media.sh',
    '/vod/%2e%2e/make-media.sh',
    '/make-media.sh',
    '/live/fmp4/v0/seg-1.m4s',
    `/live/fmp4/v0/seg-${NEWEST}.mpegts`,
    '/live/fmp4/v0/seg--1.m4s',
    '/live/fmp4/v9/index.m3u8',
    '/live/ts/v0/init.mp4',
    '/live/main.m3u8',
    '/live/',
    '//vod/clip.mp4',
  ]
  for (const path of paths) t.equal((await ask(path)).status, 404, path)
  const posted = await ask('/vod/clip.mp4', {}, 'POST')
  t.equal(posted.status, 405)
  t.equal(posted.headers.allow, 'GET, HEAD')
})

t.test('counts requests by path', async (t) => {
  const path = '/vod/ts/v1/seg-3.mpegts'
  await ask(path)
  await ask(`${path}?a=b`)
  const counts = JSON.parse((await ask('/.origin/counts')).body.toString())
  t.equal(counts[path], 2)
  t.equal(counts['/.origin/counts'], undefined)
})

t.test('range fields', async (t) => {
  const cases: [string, ReturnType<typeof parseRange>][] = [
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=5-', { first: 5, last: 9 }],
    ['bytes=5-100', { first: 5, last: 9 }],
    ['bytes=-100', { first: 0, last: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-5', null],
    ['bytes=5-4', null],
    ['bytes=-', null],
    ['bytes=0-1,3-4', null],
    ['items=0-1', null],
    ['', null],
  ]
  for (const [field, expected] of cases) t.strictSame(parseRange(field, 10), expected, field)
})
