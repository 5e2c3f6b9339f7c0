// What a playlist was granted reaches all that it names, in each way that a property can choose; what nobody was
// granted does not. Nothing of a token reaches the origin, the cache key or the log.
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { startProtectedStream, urisOf } from '../kit/protected-stream.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'
import { signTypeA } from '../../src/token/type-a.ts'

const KEY = 'key-of-the-carry-test'
const stream = await startProtectedStream(t)

function protectedProperty(carry: string, more: object = {}): object {
  const access = { tokens: { scheme: 'type-a', keys: [KEY], carry }, keys: { match: ['*.key'] } }
  return { id: 'shows', hosts: ['*'], origins: [{ id: 'studio' }], access, ...more }
}

function signed(path: string, validityMs?: number): string {
  const nowMs = systemClock.now()
  return signTypeA({ keys: [KEY] }, path, {
    nowMs,
    expiresMs: validityMs === undefined ? undefined : nowMs + validityMs,
  })
}

/** Walks from a playlist to all that it names, as a player that keeps cookies. Gives path → status. */
async function walk(url: string): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  const jar = new Map<string, string>()
  const visit = async (at: string): Promise<void> => {
    const reply = await ask(at, jar)
    seen.set(at, reply.status)
    if (reply.status === 302) return visit(new URL(String(reply.headers.location), at).href)
    if (reply.status !== 200 || !/mpegurl/.test(reply.headers['content-type'] ?? '')) return
    for (const uri of urisOf(reply.text)) {
      const next = new URL(uri, at).href
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as cookies come
      if (!seen.has(next)) await visit(next)
    }
  }
  await visit(url)
  return seen
}

async function ask(url: string, jar: Map<string, string>): Promise<Reply> {
  const { pathname } = new URL(url)
  const cookies = [...jar].filter(([path]) => pathname.startsWith(path)).map(([, cookie]) => cookie)
  const reply = await get(url, { headers: cookies.length === 0 ? {} : { cookie: cookies.join('; ') } })
  for (const line of reply.headers['set-cookie'] ?? []) {
    const path = /; Path=([^;]+)/.exec(line)?.[1] ?? '/'
    jar.set(path, line.split(';', 1)[0] ?? '')
  }
  return reply
}

function pathsOf(urls: Iterable<string>): string[] {
  const bare = [...urls].map((url) =>
    new URL(url).pathname.replace(/^\/~shows/, '').replace(/^\/~~[^/]+/, ''),
  )
  return [...new Set(bare)].toSorted()
}

for (const carry of ['rewrite', 'path', 'cookie']) {
  t.test(`all that the playlists name can be had: ${carry}`, async (t) => {
    const cors = carry === 'cookie' ? { cors: { origins: ['https://tv.example.com'] } } : {}
    const edge = await startEdge(t, { origin: stream.url, properties: [protectedProperty(carry, cors)] })
    const from = stream.asked.length
    const seen = await walk(edge.url + signed(stream.main))
    t.strictSame(
      [...seen].filter(([, status]) => status !== 200 && status !== 302),
      [],
      'nothing was refused',
    )
    const paths = pathsOf(seen.keys())
    for (const path of ['/keys/show.key', '/show/v0/seg-0.ts', '/show/v1/seg-5.ts', '/show/subs/en.vtt'])
      t.ok(paths.includes(path), path)
    t.equal(paths.length, 18, 'three playlists, their main one, twelve segments, subtitles, a key')

    t.strictSame(
      stream.asked
        .slice(from)
        .filter(({ target, cookie }) => target.includes('?') || target.includes('~') || cookie !== undefined),
      [],
      'the origin sees bare paths',
    )
    const asked = stream.asked.slice(from).map(({ target }) => target)
    t.equal(new Set(asked).size, asked.length, 'and each once, whoever asks')
    await walk(`${edge.url}/~shows${signed(stream.main)}`)
    t.equal(stream.asked.length, from + asked.length, 'a second viewer, by prefix, adds none')
    t.notMatch(edge.process.stderr(), /auth_key|~g=|~~|edgeward-shows~/, 'the log has none of it')

    const bare = `${edge.url}/show/v0/seg-0.ts`
    t.match(await get(bare), { status: 403, text: 'denied: token_missing\n' })
  })
}

t.test('a key is for those with a grant, and never on disk', async (t) => {
  const edge = await startEdge(t, { origin: stream.url, properties: [protectedProperty('rewrite')] })
  const url = edge.url + signed(stream.main)
  await walk(url)
  const uri = urisOf((await get(url)).text).find((one) => one.includes('show.key')) ?? ''
  const key = await get(new URL(uri, url).href)
  t.match(key, { status: 200, body: { length: 16 } })
  t.match(key.headers['cache-status'], /hit/, 'it is kept in memory')
  t.equal((await get(`${edge.url}/keys/show.key`)).status, 403)

  const segment = stream.bytesOf('/show/v0/seg-0.ts')
  await until('a segment is on disk', async () => (await diskBytes(edge)).includes(segment))
  t.notOk((await diskBytes(edge)).includes(key.body))
  await edge.restart()
  t.equal((await get(new URL(uri, url).href)).status, 200)
  const asked = stream.asked.filter(({ target }) => target === '/keys/show.key').length
  await edge.restart()
  t.equal((await get(new URL(uri, url).href)).status, 200)
  t.equal(
    stream.asked.filter(({ target }) => target === '/keys/show.key').length,
    asked + 1,
    'and asked for anew',
  )
})

/** All that the cache directory holds. */
async function diskBytes(edge: TestEdge): Promise<Buffer> {
  const directory = path.join(edge.directory, 'cache')
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = names.filter((name) => name.isFile())
  return Buffer.concat(
    await Promise.all(files.map((file) => readFile(path.join(file.parentPath, file.name)))),
  )
}

t.test('a playlist that comes coded is refused, not sent without grants', async (t) => {
  const coded = { 'content-encoding': 'gzip', 'content-type': 'application/vnd.apple.mpegurl' }
  const body = gzipSync('#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg-1.ts\n')
  const origin = await startOrigin(t, { '/show/coded.m3u8': { fields: coded, body } })
  const edge = await startEdge(t, { origin: origin.url, properties: [protectedProperty('rewrite')] })
  t.match(await get(edge.url + signed('/show/coded.m3u8')), { status: 502, text: 'origin_protocol\n' })
  await until('the log says why', async () =>
    /came content-coded though identity was asked for/.test(edge.process.stderr()),
  )
  const free = /edgeward_edge_upstream_places_used\{upstream="studio",kind="origin",place="filling"\} 0/
  await until('its place is free again', async () => free.test((await get(`${edge.admin}/metrics`)).text))
})

t.test('a grant is for what it was given for', async (t) => {
  const edge = await startEdge(t, { origin: stream.url, properties: [protectedProperty('rewrite')] })
  const grant = await grantOf(edge)
  t.equal((await get(`${edge.url}/show/v1/seg-0.ts?~g=${grant}`)).status, 200)
  for (const [path, reason] of [
    ['/other/main.m3u8', 'token_wrong'],
    ['/show/../other/x.ts', 'token_wrong'],
    ['/show/%2e%2e/other/x.ts', 'token_wrong'],
    ['/keys/show.key', 'token_wrong'],
    ['/showing/x.ts', 'token_wrong'],
    ['/show', 'token_wrong'],
  ] as const)
    t.match(await get(`${edge.url}${path}?~g=${grant}`), { status: 403, text: `denied: ${reason}\n` }, path)
  const forged = grant.replace(/^[0-9a-z]+/, 'zzzzzz')
  t.match(await get(`${edge.url}/show/v1/seg-0.ts?~g=${forged}`), {
    status: 403,
    text: 'denied: token_wrong\n',
  })
  for (const odd of ['', 'x', '.', `${grant}x`, 'a'.repeat(500), '%00'])
    t.equal((await get(`${edge.url}/show/v1/seg-0.ts?~g=${odd}`)).status, 403, odd.slice(0, 12))
})

t.test('a session goes on when the URL that began it has ended, and ends itself', async (t) => {
  // Its time is in whole seconds: of two, one at the least is left.
  const tokens = { scheme: 'type-a', keys: [KEY], validity: '2s', skew: '0s', session: '4s' }
  const property = { id: 'shows', hosts: ['*'], origins: [{ id: 'studio' }], access: { tokens } }
  const edge = await startEdge(t, { origin: stream.url, properties: [property] })
  const url =
    edge.url + signTypeA({ keys: [KEY], validityMs: 2000 }, stream.main, { nowMs: systemClock.now() })
  const first = await get(url)
  t.equal(first.status, 200)
  const child = new URL(urisOf(first.text).at(-1) ?? '', url).href
  await until403(url, 'token_expired')
  t.equal((await get(child)).status, 200, 'what it granted holds on')
  await until403(child, 'token_expired')
})

async function until403(url: string, reason: string): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- it is a wait for time to pass at the edge
    const reply = await get(url)
    if (reply.status === 403 && reply.text.includes(reason)) return
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function grantOf(edge: TestEdge): Promise<string> {
  const main = await get(edge.url + signed(stream.main))
  const found = /v0\/index\.m3u8\?~g=([^\s"]+)/.exec(main.text)?.[1]
  if (found === undefined) throw new Error(`no grant in ${main.text}`)
  return found
}

t.test('a live playlist that is asked for by its token outlives it', async (t) => {
  const live = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\nseg-7.ts\n'
  const fields = { 'content-type': 'application/vnd.apple.mpegurl' }
  const answer = { fields, body: live }
  const targets = ['/live/ch.m3u8', '/ch.m3u8'].flatMap((path) => [path, `${path}?_HLS_msn=8`])
  const origin = await startOrigin(t, Object.fromEntries(targets.map((target) => [target, answer])))
  const tokens = { scheme: 'type-a', keys: [KEY], validity: '2s', skew: '0s' }
  const property = { id: 'shows', hosts: ['*'], origins: [{ id: 'studio' }], access: { tokens } }
  const edge = await startEdge(t, { origin: origin.url, properties: [property] })
  for (const path of ['/live/ch.m3u8', '/ch.m3u8']) {
    const signedPath = signTypeA({ keys: [KEY], validityMs: 2000 }, path, { nowMs: systemClock.now() })
    const redirect = await get(`${edge.url}/~shows${signedPath}`)
    t.match(redirect, { status: 302, headers: { 'cache-control': 'no-store' } })
    const location = String(redirect.headers.location)
    t.match(location, new RegExp(`^/~shows${path.replaceAll('.', '\\.')}\\?~g=[^&]+$`))
    await until403(`${edge.url}/~shows${signedPath}`, 'token_expired')
    const reload = await get(edge.url + location)
    t.match(reload, { status: 200, text: /^seg-7\.ts\?~g=/m }, `${path} goes on`)
    const segment = new URL(urisOf(reload.text)[0] ?? '', edge.url + location).href
    t.equal((await get(segment)).status, 404, 'and so does what it names, which this origin has not')
    const blocking = signTypeA({ keys: [KEY] }, `${path}?_HLS_msn=8`, { nowMs: systemClock.now() })
    t.match(
      await get(edge.url + blocking),
      { status: 302, headers: { location: /\?_HLS_msn=8&~g=/ } },
      'directives go along',
    )
  }
})
