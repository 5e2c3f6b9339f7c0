// A Low-Latency HLS origin (RFC 8216bis appendix B) over the demo's clip: real parts, playlists that block until they
// have what is asked for, delta updates, and parts as files or as ranges of a segment that is still growing. Parts
// appear when the test says so, or by the clock.
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

const CLIP = fileURLToPath(new URL('../../deploy/demo/media/clip.mp4', import.meta.url))
export const PART_MS = 400
const PARTS_EACH = 5
export const TARGET_SECONDS = 2
/** Segments in the playlist. */
const WINDOW = 8
const SKIP_UNTIL_SECONDS = 12

export interface LowLatencyOptions {
  /** `ranges`: parts are byte ranges of their segment. */
  parts?: 'files' | 'ranges'
  /** Cache-Control of playlists and of media; left out: none. */
  playlistCacheControl?: string
  mediaCacheControl?: string
  /** Parts there at the start. */
  from?: number
}

export class LowLatencyOrigin {
  readonly url: string
  /** Target → how often it was asked for. */
  readonly counts = new Map<string, number>()
  /** Requests that wait now. */
  held = 0
  #published: number
  #news = Promise.withResolvers<void>()
  #arrivals = Promise.withResolvers<void>()
  readonly #init: Buffer
  readonly #parts: readonly Buffer[]
  readonly #options: LowLatencyOptions

  constructor(url: string, media: { init: Buffer; parts: readonly Buffer[] }, options: LowLatencyOptions) {
    this.url = url
    this.#init = media.init
    this.#parts = media.parts
    this.#options = options
    this.#published = options.from ?? WINDOW * PARTS_EACH
  }

  /** The segment that is growing, and how many of its parts are there. */
  get position(): { msn: number; parts: number } {
    return { msn: Math.floor(this.#published / PARTS_EACH), parts: this.#published % PARTS_EACH }
  }

  /** The next part is there. */
  publish(): void {
    if (this.#published < this.#parts.length) this.#published++
    const news = this.#news
    this.#news = Promise.withResolvers<void>()
    news.resolve()
  }

  count(target: string): number {
    return this.counts.get(target) ?? 0
  }

  /** Resolves when so many requests wait at once. */
  async holding(count: number): Promise<void> {
    while (this.held < count) await this.#arrivals.promise
  }

  part(msn: number, part: number): Buffer {
    return this.#parts[msn * PARTS_EACH + part] ?? Buffer.alloc(0)
  }

  segment(msn: number): Buffer {
    return Buffer.concat(this.#parts.slice(msn * PARTS_EACH, (msn + 1) * PARTS_EACH))
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? ''
    const range = request.headers.range
    const name = range === undefined ? target : `${target} ${range}`
    this.counts.set(name, this.count(name) + 1)
    const url = new URL(target, 'http://origin')
    const part = /^\/live\/part-(\d+)\.(\d)\.m4s$/.exec(url.pathname)
    const segment = /^\/live\/seg-(\d+)\.m4s$/.exec(url.pathname)
    if (url.pathname === '/live/index.m3u8') await this.#playlist(url, response)
    else if (url.pathname === '/live/init.mp4') this.#send(response, 200, this.#init)
    else if (part !== null) await this.#partFile(Number(part[1]), Number(part[2]), response)
    else if (segment !== null) await this.#segmentFile(Number(segment[1]), range, response)
    else response.writeHead(404).end()
  }

  async #playlist(url: URL, response: ServerResponse): Promise<void> {
    const msn = url.searchParams.get('_HLS_msn')
    if (msn !== null) {
      const part = Number(url.searchParams.get('_HLS_part') ?? PARTS_EACH - 1)
      const wanted = Number(msn) * PARTS_EACH + part + 1
      // §6.2.5.2: too far ahead to be waited for.
      if (Number(msn) > this.position.msn + 2) {
        response.writeHead(400).end()
        return
      }
      await this.#until(wanted)
    }
    const body = this.#text(url.searchParams.get('_HLS_skip') !== null)
    response.setHeader('Content-Type', 'application/vnd.apple.mpegurl')
    const { playlistCacheControl } = this.#options
    if (playlistCacheControl !== undefined) response.setHeader('Cache-Control', playlistCacheControl)
    response.setHeader('Content-Length', Buffer.byteLength(body))
    response.end(body)
  }

  #text(skip: boolean): string {
    const { msn: growing, parts } = this.position
    const first = Math.max(0, growing - WINDOW)
    const skipped = skip ? Math.max(0, growing - first - SKIP_UNTIL_SECONDS / TARGET_SECONDS) : 0
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      `#EXT-X-TARGETDURATION:${TARGET_SECONDS}`,
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.2,CAN-SKIP-UNTIL=${SKIP_UNTIL_SECONDS}`,
      `#EXT-X-PART-INF:PART-TARGET=${PART_MS / 1000}`,
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
    ]
    if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`)
    else lines.push('#EXT-X-MAP:URI="init.mp4"')
    for (let msn = first + skipped; msn < growing; msn++) {
      if (msn >= growing - 2) lines.push(...this.#partLines(msn, PARTS_EACH))
      lines.push(`#EXTINF:${TARGET_SECONDS.toFixed(5)},`, `seg-${msn}.m4s`)
    }
    lines.push(...this.#partLines(growing, parts))
    const start = this.#offset(growing, parts)
    lines.push(
      this.#options.parts === 'ranges'
        ? `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="seg-${growing}.m4s",BYTERANGE-START=${start}`
        : `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-${growing}.${parts}.m4s"`,
    )
    return `${lines.join('\n')}\n`
  }

  #partLines(msn: number, count: number): string[] {
    return Array.from({ length: count }, (_, part) => {
      const where =
        this.#options.parts === 'ranges'
          ? `URI="seg-${msn}.m4s",BYTERANGE="${this.part(msn, part).length}@${this.#offset(msn, part)}"`
          : `URI="part-${msn}.${part}.m4s"`
      const independent = part === 0 ? ',INDEPENDENT=YES' : ''
      return `#EXT-X-PART:DURATION=${(PART_MS / 1000).toFixed(5)},${where}${independent}`
    })
  }

  #offset(msn: number, part: number): number {
    let offset = 0
    for (let i = 0; i < part; i++) offset += this.part(msn, i).length
    return offset
  }

  async #partFile(msn: number, part: number, response: ServerResponse): Promise<void> {
    const index = msn * PARTS_EACH + part
    // Only what the playlist hints at may be waited for.
    if (index > this.#published) {
      response.writeHead(404).end()
      return
    }
    await this.#until(index + 1)
    this.#send(response, 200, this.part(msn, part))
  }

  async #segmentFile(msn: number, range: string | undefined, response: ServerResponse): Promise<void> {
    const whole = this.segment(msn)
    const complete = this.position.msn > msn
    const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
    if (match === null) {
      if (complete) this.#send(response, 200, whole)
      else await this.#grow(msn, 0, 200, response)
      return
    }
    const start = Number(match[1])
    if (match[2] === '' && !complete) {
      // RFC 8673: without end, since it has none yet.
      response.setHeader('Content-Range', `bytes ${start}-${Number.MAX_SAFE_INTEGER}/*`)
      await this.#grow(msn, start, 206, response)
      return
    }
    const end = match[2] === '' ? whole.length : Number(match[2]) + 1
    for (let parts = 0; this.#offset(msn, parts) < end && parts < PARTS_EACH; parts++) {
      await this.#until(msn * PARTS_EACH + parts + 1)
    }
    response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${complete ? whole.length : '*'}`)
    this.#send(response, 206, whole.subarray(start, end))
  }

  /** The rest of a segment, part by part as they appear. */
  async #grow(msn: number, from: number, status: number, response: ServerResponse): Promise<void> {
    response.statusCode = status
    for (let part = 0; part < PARTS_EACH; part++) {
      const start = this.#offset(msn, part)
      if (start < from) continue
      await this.#until(msn * PARTS_EACH + part + 1)
      response.write(this.part(msn, part))
    }
    response.end()
  }

  #send(response: ServerResponse, status: number, body: Buffer): void {
    const { mediaCacheControl } = this.#options
    if (mediaCacheControl !== undefined) response.setHeader('Cache-Control', mediaCacheControl)
    response.writeHead(status, { 'Content-Type': 'video/mp4', 'Content-Length': body.length }).end(body)
  }

  async #until(parts: number): Promise<void> {
    if (this.#published >= parts) return
    this.held++
    const arrivals = this.#arrivals
    this.#arrivals = Promise.withResolvers<void>()
    arrivals.resolve()
    while (this.#published < parts) await this.#news.promise
    this.held--
  }
}

/** Starts an origin whose parts appear by `publish()`. */
export async function startLowLatencyOrigin(
  t: TestScope,
  options: LowLatencyOptions = {},
): Promise<LowLatencyOrigin> {
  const media = await cutClip(t)
  const port = await freePort()
  const origin = new LowLatencyOrigin(`http://127.0.0.1:${port}`, media, options)
  const server = createServer((request, response) => {
    origin.answer(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 120_000
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return origin
}

/** Publishes a part whenever its time has come. */
export function publishByClock(t: TestScope, origin: LowLatencyOrigin): void {
  const timer = setInterval(() => origin.publish(), PART_MS)
  t.teardown(() => clearInterval(timer))
}

/** The clip in fragments of one part each; every fifth begins with a key frame. */
async function cutClip(t: TestScope): Promise<{ init: Buffer; parts: Buffer[] }> {
  const file = path.join(await tempDirectory(t), 'fragments.mp4')
  const { status, stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', CLIP, '-c', 'copy', '-f', 'mp4']
      .concat(['-movflags', 'empty_moov+default_base_moof+frag_keyframe'])
      .concat(['-frag_duration', String(PART_MS * 1000), file]),
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`)
  const bytes = readFileSync(file)
  const starts: number[] = []
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (type === 'moof' || type === 'mfra') starts.push(at)
  }
  const ends = [...starts.slice(1), bytes.length]
  const parts = starts
    .map((start, i) => bytes.subarray(start, ends[i]))
    .filter((part) => part.toString('latin1', 4, 8) === 'moof')
  return { init: bytes.subarray(0, starts[0]), parts }
}
