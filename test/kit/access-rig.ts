// An edge with a property for each way to carry grants, in front of an origin that reads paths as laxly as any does:
// what it gives away to an attack, some origin would.
import { createServer } from 'node:http'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { listen } from '../../src/net/listen.ts'
import { signTypeA } from '../../src/token/type-a.ts'
import type { Reply } from './client.ts'
import { startEdge } from './edge.ts'
import type { TestEdge } from './edge.ts'
import type { TestScope } from './scope.ts'

export const RIG_KEY = 'key-of-the-access-rig'
export const CARRIES = ['rewrite', 'path', 'cookie'] as const

export const MEDIA = `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXTINF:2,
seg.ts
#EXT-X-ENDLIST
`

export interface LaxOrigin {
  readonly url: string
  /** Targets and fields, in order. */
  readonly asked: readonly { readonly target: string; readonly fields: string }[]
  /** What every path that ends in .m3u8 answers; anything else says which path it was taken for. */
  playlist: string
}

export async function startLaxOrigin(t: TestScope): Promise<LaxOrigin> {
  const asked: { target: string; fields: string }[] = []
  const server = createServer((request, response) => {
    const target = request.url ?? ''
    asked.push({ target, fields: JSON.stringify(request.rawHeaders) })
    const read = laxly(target)
    const isPlaylist = /\.m3u8$/i.test(read)
    // Tests ask for other playlists by the same names.
    response.setHeader('Cache-Control', isPlaylist && !read.includes('shared') ? 'no-cache' : 'max-age=600')
    if (!isPlaylist) return response.end(`CONTENT OF ${read}`)
    response.setHeader('Content-Type', 'application/vnd.apple.mpegurl')
    response.setHeader('Last-Modified', 'Thu, 01 Jan 2026 00:00:00 GMT')
    return response.end(origin.playlist)
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const origin = { url: `http://127.0.0.1:${port}`, asked, playlist: MEDIA }
  return origin
}

/** What an origin does to a path besides following dots. */
export interface LaxReading {
  /** How often it decodes. */
  readonly decodes: number
  /** Of `;`: before it decodes, behind it, or never. */
  readonly endsSegments: 'before' | 'behind' | 'never'
  readonly overlong: boolean
  readonly backslashes: boolean
  readonly cutsAtNul: boolean
  readonly mergesSlashes: boolean
  readonly trimsNames: boolean
}

const LAXEST: LaxReading = {
  decodes: 2,
  endsSegments: 'behind',
  overlong: true,
  backslashes: true,
  cutsAtNul: true,
  mergesSlashes: true,
  trimsNames: true,
}

/** The path that such an origin serves. */
export function laxly(target: string, how: LaxReading = LAXEST): string {
  let text = target.split('?', 1)[0] ?? ''
  if (how.endsSegments === 'before') text = text.replaceAll(/;[^/]*/g, '')
  for (let round = 0; round < how.decodes; round++) {
    if (how.overlong) text = text.replaceAll(/%C0%AE/gi, '.').replaceAll(/%C0%AF/gi, '/')
    text = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
  if (how.cutsAtNul) text = text.split('\0', 1)[0] ?? ''
  if (how.backslashes) text = text.replaceAll('\\', '/')
  if (how.endsSegments === 'behind') text = text.replaceAll(/;[^/]*/g, '')
  const kept: string[] = []
  for (const segment of text.slice(1).split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '.' && (segment !== '' || !how.mergesSlashes))
      kept.push(how.trimsNames ? segment.replace(/[ .]+$/, '') : segment)
  }
  return `/${kept.join('/')}`
}

/** Named as it carries. `access`: keys that replace those of the rig. */
export function carryingProperty(carry: string, more: object = {}, access: object = {}): object {
  const tokens = { scheme: 'type-a', keys: [RIG_KEY], carry, except: ['/free/**', '*.jpg'] }
  const cors = carry === 'cookie' ? { cors: { origins: ['https://tv.example.com'] } } : {}
  const hosts = [`${carry}.example.com`]
  const rules = { tokens, keys: { match: ['*.key', '/keys/**'] }, ...access }
  return { id: carry, hosts, origins: [{ id: 'studio' }], access: rules, ...cors, ...more }
}

export function startCarriers(t: TestScope, origin: LaxOrigin): Promise<TestEdge> {
  return startEdge(t, { origin: origin.url, properties: CARRIES.map((carry) => carryingProperty(carry)) })
}

export function signed(target: string): string {
  return signTypeA({ keys: [RIG_KEY] }, target, { nowMs: systemClock.now() })
}

/** What a reply grants, by any way that it may carry it. */
export function grantsOf(reply: Pick<Reply, 'text' | 'headers'>): string[] {
  const all = `${reply.text}\n${String(reply.headers.location)}\n${String(reply.headers['set-cookie'])}`
  return [...all.matchAll(/\b[0-9a-z]{6}\.(?:x|[0-9]+)\.[\w-]{11}(?:\.a)?\.[\w-]{22}/g)].map(([text]) => text)
}

/** As a client sends back the cookies that a reply set. */
export function cookieOf(reply: Pick<Reply, 'headers'>): string {
  return (reply.headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0] ?? '').join('; ')
}

/** All that an edge's cache directory holds. */
export async function diskText({ directory }: TestEdge): Promise<string> {
  const names = await readdir(path.join(directory, 'cache'), { recursive: true, withFileTypes: true })
  const files = names.filter((name) => name.isFile()).map((name) => path.join(name.parentPath, name.name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}
