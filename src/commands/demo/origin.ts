// The demo's origin: a recording under /vod/, the same segments as an endless channel under /live/, the
// player page, and what was asked of it under /.origin/counts. Its own process, a plain node:http server.
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Command, Option } from 'commander'
import type { Clock } from '../../clock.ts'
import { systemClock } from '../../clock.ts'
import { listenAddress } from '../../config/values.ts'
import type { ListenAddress } from '../../config/values.ts'
import type { Daemon } from '../../daemon.ts'
import { runDaemon } from '../../daemon.ts'
import { createLogger } from '../../log.ts'
import { formatAuthority, listen } from '../../net/listen.ts'
import { SEGMENT_MS, findLiveSegment, livePlaylist, newestSequence } from './live.ts'
import { createResource, loadMedia } from './media.ts'
import type { Media, Resource } from './media.ts'
import { serveResource } from './serve.ts'

/** Paths that are counted; the oldest is forgotten, since the live channel never runs out of new ones. */
const COUNTED_PATHS_MAX = 20_000
const DRAIN_MS = 1000

/** What a path gives at this time. Paths are compared whole, so none can lead out of the media. */
export function findResource(media: Media, path: string, nowMs: number): Resource | undefined {
  if (!path.startsWith('/live/')) return media.resources.get(path)
  const rest = path.slice('/live/'.length)
  const main = media.mainPlaylists.get(rest)
  if (main !== undefined) return main
  const slash = rest.lastIndexOf('/')
  const track = media.tracks.get(rest.slice(0, slash))
  if (track === undefined) return undefined
  const name = rest.slice(slash + 1)
  if (name === 'init.mp4') return track.init ?? undefined
  if (name === 'index.m3u8') {
    const publishedMs = (newestSequence(nowMs) + 1) * SEGMENT_MS
    return createResource(livePlaylist(track, nowMs), 'm3u8', 'public, max-age=1', publishedMs)
  }
  const match = /^seg-(\d{1,15})\.(\w+)$/.exec(name)
  if (match === null || match[2] !== track.extension) return undefined
  const segment = findLiveSegment(track, Number(match[1]), nowMs)
  return segment === null ? undefined : { ...segment.resource, cacheControl: 'public, max-age=300' }
}

export function createOriginServer(media: Media, clock: Clock): Server {
  const counts = new Map<string, number>()
  const count = (path: string) => {
    const before = counts.get(path) ?? 0
    counts.set(path, before + 1)
    const oldest = counts.size > COUNTED_PATHS_MAX ? counts.keys().next().value : undefined
    if (oldest !== undefined) counts.delete(oldest)
  }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendText(response, 405, 'text/plain', 'GET and HEAD only\n', { Allow: 'GET, HEAD' })
      return
    }
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (path === '/.origin/counts') {
      sendText(response, 200, 'application/json', JSON.stringify(Object.fromEntries(counts)))
      return
    }
    if (path === '/healthz') {
      sendText(response, 200, 'text/plain', 'ok\n')
      return
    }
    count(path)
    const resource = findResource(media, path, clock.now())
    if (resource === undefined) sendText(response, 404, 'text/plain', 'not found\n')
    else serveResource(request, response, resource)
  }
  return createServer(answer)
}

export async function startOrigin(address: ListenAddress, clock: Clock): Promise<Daemon> {
  const server = createOriginServer(await loadMedia(), clock)
  const port = await listen(server, address, '--listen')
  return {
    listeners: { origin: `http://${formatAuthority(address.host, port)}` },
    async drain() {
      const closed = once(server, 'close')
      server.close()
      await Promise.race([closed, delay(DRAIN_MS, undefined, { ref: false })])
      server.closeAllConnections()
      await closed
    },
  }
}

/** `edgeward demo origin`: started by the demo, and by tests that need real media. */
export function originCommand(): Command {
  return new Command('origin')
    .description('The demo’s origin alone.')
    .option('--listen <address>', 'address and port', '127.0.0.1:8070')
    .addOption(new Option('--log-level <level>', 'least severe level to log').default('info'))
    .action(async (options: { listen: string; logLevel: string }) => {
      const address = listenAddress.parse(options.listen)
      const log = createLogger({ daemon: 'origin', id: 'demo', level: options.logLevel })
      await runDaemon(await startOrigin(address, systemClock), log)
    })
}

function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  fields: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...fields,
  })
  response.end(text)
}
