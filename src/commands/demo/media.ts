// The demo's files, read once at start: every path the origin serves for a recording, with its head fields,
// and the tracks (one per rendition and container) whose segments the live channel repeats.
import { createHash } from 'node:crypto'
import { readFile, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** One thing to serve, whole. */
export interface Resource {
  body: Uint8Array
  type: string
  cacheControl: string
  etag: string
  lastModifiedMs: number
}

export interface Track {
  /** `fmp4/v0`: container and rendition; its directory under /vod/ and /live/. */
  id: string
  /** `m4s` or `mpegts`. */
  extension: string
  init: Resource | null
  segments: readonly { seconds: number; resource: Resource }[]
}

export interface Media {
  /** Path as requested → what to serve. */
  resources: ReadonlyMap<string, Resource>
  tracks: ReadonlyMap<string, Track>
  /** `fmp4/main.m3u8`, `ts/main.m3u8`: their relative URIs hold for the recording and for the live channel. */
  mainPlaylists: ReadonlyMap<string, Resource>
}

const TYPES: Record<string, string> = {
  m3u8: 'application/vnd.apple.mpegurl',
  mp4: 'video/mp4',
  m4s: 'video/iso.segment',
  mpegts: 'video/mp2t',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

const DAY = 'public, max-age=86400'
const MINUTES = 'public, max-age=300'

const CACHE_CONTROL: Record<string, string> = { m3u8: MINUTES, html: 'public, max-age=60' }

const DEMO_DIRECTORY = new URL('../../../deploy/demo/', import.meta.url)

/** Reads deploy/demo/media, the player page and hls.js. Some 5 MB, kept in memory. */
export async function loadMedia(): Promise<Media> {
  const mediaDirectory = new URL('media/', DEMO_DIRECTORY)
  const entries = await readdir(mediaDirectory, { recursive: true, withFileTypes: true })
  const loads = entries
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<[string, Resource]> => {
      const url = pathToFileURL(path.join(entry.parentPath, entry.name))
      return [`/vod/${url.pathname.slice(mediaDirectory.pathname.length)}`, await loadResource(url)]
    })
  const resources = new Map(await Promise.all(loads))
  const tracks = new Map<string, Track>()
  const mainPlaylists = new Map<string, Resource>()
  for (const [requestPath, resource] of resources) {
    const name = requestPath.slice('/vod/'.length)
    if (name.endsWith('/main.m3u8')) mainPlaylists.set(name, resource)
    if (name.endsWith('/index.m3u8')) {
      const track = readTrack(name.slice(0, -'/index.m3u8'.length), resource, resources)
      tracks.set(track.id, track)
    }
  }
  if (tracks.size === 0)
    throw new Error(`no media in ${fileURLToPath(mediaDirectory)}; run make-media.sh there`)
  resources.set('/player.html', await loadResource(new URL('player.html', DEMO_DIRECTORY)))
  resources.set('/hls.min.js', await loadResource(new URL(import.meta.resolve('hls.js/dist/hls.min.js'))))
  return { resources, tracks, mainPlaylists }
}

export function createResource(
  text: string,
  extension: string,
  cacheControl: string,
  modifiedMs: number,
): Resource {
  return describe(new TextEncoder().encode(text), extension, cacheControl, modifiedMs)
}

async function loadResource(url: URL): Promise<Resource> {
  const extension = url.pathname.slice(url.pathname.lastIndexOf('.') + 1)
  const [body, { mtimeMs }] = await Promise.all([readFile(url), stat(url)])
  return describe(body, extension, CACHE_CONTROL[extension] ?? DAY, mtimeMs)
}

function describe(body: Uint8Array, extension: string, cacheControl: string, modifiedMs: number): Resource {
  return {
    body,
    type: TYPES[extension] ?? 'application/octet-stream',
    cacheControl,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    // HTTP dates have whole seconds.
    lastModifiedMs: Math.floor(modifiedMs / 1000) * 1000,
  }
}

// The playlists are those of make-media.sh, so a look at three kinds of lines is enough.
function readTrack(id: string, playlist: Resource, resources: ReadonlyMap<string, Resource>): Track {
  const segments: { seconds: number; resource: Resource }[] = []
  let init: Resource | null = null
  let extension = ''
  let seconds = 0
  const find = (name: string): Resource => {
    const found = resources.get(`/vod/${id}/${name}`)
    if (found === undefined) throw new Error(`the demo's ${id}/index.m3u8 names ${name}, which is missing`)
    return found
  }
  for (const line of new TextDecoder().decode(playlist.body).split('\n')) {
    const map = /^#EXT-X-MAP:URI="([^"]+)"/.exec(line)
    const duration = /^#EXTINF:([\d.]+)/.exec(line)
    if (map?.[1] !== undefined) init = find(map[1])
    else if (duration !== null) seconds = Number(duration[1])
    else if (line !== '' && !line.startsWith('#')) {
      extension = line.slice(line.lastIndexOf('.') + 1)
      segments.push({ seconds, resource: find(line) })
    }
  }
  return { id, extension, init, segments }
}
