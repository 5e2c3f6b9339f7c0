// A live channel and a film asked for at every edge of three sites by hundreds of clients at once: with a shield its origin
// sees one request for each slice, without one from each site, and where edges ask no other one from each edge.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { SLICE, startTieredCluster } from '../kit/tiered-cluster.ts'

const CLIENTS_EACH = 12
const SEGMENTS = 6
const FILM_SLICES = 9
const FILM = bytesOf(1, (FILM_SLICES - 1) * SLICE + 4321)
const SEGMENT = (n: number) => bytesOf(n, 100_000 + n)
const IMMUTABLE = { 'Cache-Control': 'max-age=600', ETag: '"a"' }
const PLAYLIST_FIELDS = { 'Content-Type': 'application/vnd.apple.mpegurl' }

const origin = await startOrigin(t, {})
// On a busy machine the origin, which is this process beside its clients, may take long.
const timeouts = { head: '1m', body: '1m' }
const cluster = await startTieredCluster(t, origin.url, { originEntry: { timeouts } })
const edges = [...cluster.edges.values()]

/** A channel in its own directory, at so many segments. */
function publish(property: string, segments: number): void {
  const lines = Array.from({ length: segments }, (_, n) => `#EXTINF:2,\n${n}.ts\n`)
  const body = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n${lines.join('')}`
  origin.on(`/${property}/live/main.m3u8`, { body, fields: PLAYLIST_FIELDS })
  origin.on(`/${property}/live/${segments - 1}.ts`, { body: SEGMENT(segments - 1), fields: IMMUTABLE })
}

const ask = (property: string, client: number, path: string, headers = {}): Promise<Reply> =>
  get(`${edges[client % edges.length]?.url}/~${property}/${property}${path}`, { headers })

/** Plays as segments appear; every byte is checked. Gives what went wrong, if anything. */
async function watch(property: string, client: number): Promise<string | null> {
  const seen = new Set<string>()
  while (seen.size < SEGMENTS) {
    const playlist = await ask(property, client, '/live/main.m3u8')
    if (playlist.status !== 200) return `playlist: ${playlist.status} ${playlist.text}`
    for (const name of playlist.text.match(/^\d+\.ts$/gm) ?? []) {
      if (seen.has(name)) continue
      seen.add(name)
      const { status, body } = await ask(property, client, `/live/${name}`)
      if (!body.equals(SEGMENT(Number.parseInt(name, 10)))) return `${name}: ${status}, ${body.length} bytes`
    }
    await delay(250)
  }
  return null
}

/** All of the film, or from somewhere in it to its end, as players seek. */
async function view(property: string, client: number): Promise<string | null> {
  const nth = Math.floor(client / edges.length)
  const from = nth % 3 === 0 ? 0 : ((nth * 5) % FILM_SLICES) * SLICE
  const headers = from === 0 ? {} : { Range: `bytes=${from}-` }
  const { status, body, complete } = await ask(property, client, '/film.mp4', headers)
  return complete && body.equals(FILM.subarray(from)) ? null : `film: ${status}, ${body.length} bytes`
}

/** Slice → how often a request began with it. */
function slicesAsked(property: string): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { headers } of origin.requests(`/${property}/film.mp4`)) {
    const slice = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0) / SLICE
    counts.set(slice, (counts.get(slice) ?? 0) + 1)
  }
  return counts
}

for (const [property, copies, how] of [
  ['shows', 1, 'with a shield, one in all'],
  ['plain', 3, 'without one, one from each site'],
  ['lone', 9, 'where edges ask no other, one from each edge'],
] as const) {
  t.test(how, async (t) => {
    origin.on(`/${property}/film.mp4`, { body: FILM, fields: IMMUTABLE })
    publish(property, 1)
    const clients = Array.from({ length: CLIENTS_EACH * edges.length }, (_, client) => client)
    const playing = Promise.all([
      ...clients.map((client) => watch(property, client)),
      ...clients.map((client) => view(property, client)),
    ])
    for (let segments = 2; segments <= SEGMENTS; segments++) {
      await delay(400)
      publish(property, segments)
    }
    t.same(new Set(await playing), new Set([null]), 'every client has every byte')
    for (let n = 0; n < SEGMENTS; n++)
      t.equal(origin.count(`/${property}/live/${n}.ts`), copies, `segment ${n}`)
    const counts = slicesAsked(property)
    t.ok(
      counts.size > 0 && [...counts.values()].every((count) => count <= copies),
      `film: ${[...counts].join(' ')}`,
    )
  })
}
