// Purges raced against all that may be on its way at an edge. The origin numbers its versions and gives them all one
// strong ETag, and the rule is one: who asks after a hard purge was acknowledged never gets an older version than the
// origin had then, nor two in one body.
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { outcomeOf, post } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { Answer } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const SLICE_BYTES = 65_536
const FIELDS = { 'Cache-Control': 'max-age=600', ETag: '"same"', 'Surrogate-Key': 'everything' }
const PLAYLIST = { ...FIELDS, 'Content-Type': 'application/vnd.apple.mpegurl' }

const STORM = ['/r1', '/r2', '/r3.m3u8', '/r4']

/** What the origin has published last. */
let version = 1
/** False while the purge of what was before is on its way. */
let isSettled = true
const origin = await startOrigin(t, {})
const edge = await startEdge(t, {
  origin: origin.url,
  slice: '64KiB',
  properties: [
    {
      id: 'all',
      hosts: ['*'],
      origins: [{ id: 'studio' }],
      prefetch: { segments: 1 },
    },
  ],
})

/** Of the version of the moment, in each sixteen bytes. */
function bodyOf(bytes: number): Buffer {
  return Buffer.alloc(bytes, `version=${version};`.padEnd(16, '.'))
}

function playlistOf(segments: readonly string[]): string {
  const lines = segments.flatMap((name) => ['#EXTINF:4,', `${name}?version=${version};`])
  return ['#EXTM3U', '#EXT-X-TARGETDURATION:4', ...lines, '#EXT-X-ENDLIST', ''].join('\n').padEnd(2000, '#')
}

/** Every version that the body names. */
function versionsIn(reply: Reply): number[] {
  const body = reply.headers['content-encoding'] === 'gzip' ? gunzipSync(reply.body) : reply.body
  return [...new Set([...body.toString('latin1').matchAll(/version=(\d+);/g)].map(([, n]) => Number(n)))]
}

/** The origin answers so from now on; the first time it waits. */
function holdFirst(path: string, answer: () => Answer, pauseAt: number | 'head'): void {
  let isFirst = true
  origin.on(path, () => {
    const held = isFirst ? { pauseAt } : {}
    isFirst = false
    return { ...answer(), ...held }
  })
}

/** Each answer a little different, so that everything meets everything. */
function publishStorm(): void {
  let nth = 0
  for (const path of STORM) {
    origin.on(path, () => {
      nth++
      const isPlaylist = path.endsWith('.m3u8')
      return {
        body: isPlaylist ? playlistOf(['one.ts']) : bodyOf(2 * SLICE_BYTES),
        // Of two bodies that it had under one name before a purge, no cache could tell that they are two.
        fields: { ...(isPlaylist ? PLAYLIST : FIELDS), ...(isSettled ? {} : { ETag: `"${version}"` }) },
        ...(nth % 3 === 0 ? { trickle: { bytes: SLICE_BYTES / 2, everyMs: nth % 7 } } : {}),
        ...(nth % 5 === 0 ? { framing: 'chunked' as const } : {}),
      }
    })
  }
}

const WAYS = ['url', 'prefix', 'wildcard', 'tag', 'property'] as const
type Way = (typeof WAYS)[number]

/** Publishes the next version and purges what was before; gives the version once that is acknowledged. */
async function publish(way: Way, path: string): Promise<number> {
  const published = ++version
  isSettled = false
  const values = { url: path, prefix: '/', wildcard: '/**', tag: 'everything', property: '' }
  const { status, text } = await post(edge.admin, {
    property: 'all',
    scope: way,
    value: values[way],
    soft: false,
  })
  if (status !== 200) throw new Error(text)
  isSettled = true
  return published
}

const FILLS: readonly [name: string, pauseAt: number | 'head', answer: () => Answer][] = [
  ['before its head', 'head', () => ({ body: bodyOf(1000), fields: FIELDS })],
  ['in its body', 10, () => ({ body: bodyOf(1000), fields: FIELDS })],
  ['in a body of unknown length', 10, () => ({ body: bodyOf(1000), fields: FIELDS, framing: 'chunked' })],
  ['in its second slice', SLICE_BYTES + 5, () => ({ body: bodyOf(4 * SLICE_BYTES), fields: FIELDS })],
  ['in a long film', SLICE_BYTES + 5, () => ({ body: bodyOf(20 * SLICE_BYTES), fields: FIELDS })],
  ['in a playlist', 20, () => ({ body: playlistOf(['one.ts']), fields: PLAYLIST })],
]

for (const [name, pauseAt, answer] of FILLS) {
  t.test(`a fill that waits ${name}: who comes after the purge has one of its own`, async (t) => {
    const path = name.endsWith('playlist') ? '/x.m3u8' : '/x'
    const url = edge.url + path
    for (const way of WAYS) {
      await publish(way, path)
      holdFirst(path, answer, pauseAt)
      const early = [1, 2, 3].map(() => get(url))
      await origin.paused(path)
      // The followers are there too.
      await delay(20)
      const least = await publish(way, path)
      for (const reply of await Promise.all([1, 2, 3].map(() => get(url)))) {
        t.same([versionsIn(reply), reply.complete], [[least], true], way)
      }
      origin.resume(path)
      for (const reply of await Promise.all(early)) t.ok(versionsIn(reply).length <= 1, `${way}: no mixture`)
      // What came down last is not what is kept.
      const after = await get(url)
      t.same([outcomeOf(after), versionsIn(after)], ['hit', [least]], `${way}: afterwards`)
      const middle = { headers: { Range: `bytes=${after.body.length - 40}-` } }
      if (path === '/x') t.same(versionsIn(await get(url, middle)), [least])
    }
  })
}

const STALE: readonly [name: string, control: string][] = [
  ['a revalidation', 'no-cache'],
  ['a revalidation behind a stale hit', 'max-age=0, stale-while-revalidate=600'],
]

for (const [name, control] of STALE) {
  t.test(`${name} in flight does not bring back what was purged`, async (t) => {
    const fields = { ...FIELDS, 'Cache-Control': control }
    const answer = () => ({ body: bodyOf(1000), fields })
    for (const way of WAYS) {
      await publish(way, '/s')
      origin.on('/s', answer)
      await get(`${edge.url}/s`)
      holdFirst('/s', answer, 'head')
      const early = get(`${edge.url}/s`)
      await origin.paused('/s')
      const least = await publish(way, '/s')
      t.same(versionsIn(await get(`${edge.url}/s`)), [least], `${way}: at once`)
      origin.resume('/s')
      t.equal((await early).complete, true)
      for (const when of ['with its answer', 'afterwards', 'and for good']) {
        await delay(10)
        t.same(versionsIn(await get(`${edge.url}/s`)), [least], `${way}: ${when}`)
      }
    }
  })
}

t.test('what was on its way as the purge came is joined to nothing from before', async (t) => {
  const fields = FIELDS
  for (const [nth, way] of WAYS.entries()) {
    const path = `/j${nth}`
    const url = edge.url + path
    const answer = () => ({ body: bodyOf(2 * SLICE_BYTES), fields })
    origin.on(path, answer)
    await get(url, { headers: { Range: `bytes=${SLICE_BYTES}-` } })
    // The body is made when it goes on.
    let isFirst = true
    origin.on(path, () => {
      const held = isFirst ? { pauseAt: 'head' as const } : {}
      isFirst = false
      return {
        fields,
        ...held,
        get body() {
          return bodyOf(2 * SLICE_BYTES)
        },
      }
    })
    const early = get(url)
    await origin.paused(path)
    const least = await publish(way, path)
    origin.resume(path)
    t.same(versionsIn(await early), [least], way)
  }
})

t.test('every form of a playlist is of the new one', async (t) => {
  const forms = [
    ['/p.m3u8', {}],
    ['/~all/p.m3u8', {}],
    ['/p.m3u8', { 'Accept-Encoding': 'gzip' }],
    ['/~all/p.m3u8', { 'Accept-Encoding': 'gzip' }],
  ] as const
  origin.on('/p.m3u8', () => ({ body: playlistOf(['one.ts', 'two.ts']), fields: PLAYLIST }))
  for (const way of WAYS) {
    for (const [path, headers] of forms) await get(edge.url + path, { headers })
    const least = await publish(way, '/p.m3u8')
    for (const [path, headers] of forms) {
      t.same(versionsIn(await get(edge.url + path, { headers })), [least], `${way}: ${path}`)
    }
  }
})

t.test('what is fetched ahead is purged too', async (t) => {
  for (const way of ['prefix', 'tag', 'property'] as const) {
    await publish(way, '/a.m3u8')
    const segment = () => ({ body: bodyOf(1000), fields: FIELDS })
    origin.on('/a.m3u8', () => ({
      body: '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXT-X-ENDLIST\n',
      fields: PLAYLIST,
    }))
    origin.on('/1.ts', segment)
    holdFirst('/2.ts', segment, 10)
    await get(`${edge.url}/a.m3u8`)
    await get(`${edge.url}/1.ts`)
    await origin.paused('/2.ts')
    const least = await publish(way, '/2.ts')
    t.same(versionsIn(await get(`${edge.url}/2.ts`)), [least], way)
    origin.resume('/2.ts')
    await delay(20)
    const after = await get(`${edge.url}/2.ts`)
    t.same([outcomeOf(after), versionsIn(after)], ['hit', [least]], `${way}: afterwards`)
  }
})

for (const clients of [1, 12]) {
  t.test(`purges and ${clients} clients at once: none that came later got anything older`, async (t) => {
    publishStorm()
    let least = await publish('property', '/')
    const wrong: string[] = []
    const outcomes = { hit: 0, miss: 0 }
    const over = new AbortController()
    const asking = Array.from({ length: clients }, async (_, client) => {
      for (let i = 0; !over.signal.aborted; i++) {
        const known = least
        const path = STORM[(client + i) % STORM.length] ?? ''
        const reply = await get(edge.url + path)
        const seen = versionsIn(reply)
        outcomes[outcomeOf(reply) === 'hit' ? 'hit' : 'miss']++
        if (seen.length > 1 || seen.some((one) => one < known)) {
          wrong.push(`${path} ${outcomeOf(reply)}: ${seen.join(' ')} after ${known}`)
        }
      }
    })
    let purges = 0
    // A busy machine asks less between two of them: until enough has met them.
    while (purges < 80 || outcomes.miss <= 80) {
      // By URL, three of four would stay.
      least = await publish(WAYS[1 + (purges % 4)] ?? 'tag', '/')
      await delay(purges++ % 40)
    }
    over.abort()
    await Promise.all(asking)
    t.comment(`${purges} purges, ${outcomes.hit} hits, ${outcomes.miss} others`)
    t.same(wrong, [])
    await until('nothing is left on its way', async () => outcomeOf(await get(`${edge.url}/r1`)) === 'hit')
  })
}
