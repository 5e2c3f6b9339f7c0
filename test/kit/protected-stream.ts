// A stream with all that a playlist may name: variants, an audio rendition, subtitles, a session key, AES-128 segments
// with their key in another directory, an init section. Its origin serves files and remembers what it was asked.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

const CLIP = fileURLToPath(new URL('../../deploy/demo/media/clip.mp4', import.meta.url))
const SECONDS = 12

export interface ProtectedStream {
  readonly url: string
  /** Targets that the origin was asked for, in order. */
  readonly asked: readonly { readonly target: string; readonly cookie: string | undefined }[]
  /** Path of the main playlist. */
  readonly main: string
  /** Length of the whole in seconds. */
  readonly seconds: number
  bytesOf(file: string): Buffer
}

export async function startProtectedStream(t: TestScope): Promise<ProtectedStream> {
  const directory = await tempDirectory(t)
  makeFiles(directory)
  const asked: { target: string; cookie: string | undefined }[] = []
  const server = createServer((request, response) => {
    const target = request.url ?? ''
    asked.push({ target, cookie: request.headers.cookie })
    try {
      const body = readFileSync(path.join(directory, target.split('?', 1)[0] ?? ''))
      response.writeHead(200, { 'content-type': typeOf(target), 'cache-control': 'max-age=60' })
      response.end(body)
    } catch {
      response.writeHead(404)
      response.end()
    }
  })
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    main: '/show/main.m3u8',
    seconds: SECONDS,
    bytesOf: (file) => readFileSync(path.join(directory, file)),
  }
}

/** All that the main playlist leads to, as URLs with whatever they carry. */
export function urisOf(playlist: string): string[] {
  const lines = playlist.split('\n').filter((line) => line !== '')
  return lines.flatMap((line) =>
    line.startsWith('#') ? [...line.matchAll(/URI="([^"]+)"/g)].map((match) => match[1] ?? '') : [line],
  )
}

function typeOf(target: string): string {
  if (target.includes('.m3u8')) return 'application/vnd.apple.mpegurl'
  if (target.includes('.vtt')) return 'text/vtt'
  return target.includes('.key') ? 'application/octet-stream' : 'video/mp2t'
}

function makeFiles(root: string): void {
  for (const name of ['show/v0', 'show/v1', 'show/subs', 'keys'])
    mkdirSync(path.join(root, name), { recursive: true })
  const key = path.join(root, 'keys/show.key')
  writeFileSync(key, randomBytes(16))
  const keyInfo = path.join(root, 'key.info')
  // Root-relative, and outside of what the playlist's directory holds.
  writeFileSync(keyInfo, `/keys/show.key\n${key}\n`)
  for (const [variant, scale] of [
    ['v0', '256:144'],
    ['v1', '128:72'],
  ] as const)
    encode(root, variant, scale, keyInfo)
  writeFileSync(path.join(root, 'show/subs/en.vtt'), 'WEBVTT\n\n00:00.000 --> 00:05.000\nHello\n')
  writeFileSync(
    path.join(root, 'show/subs/en.m3u8'),
    `#EXTM3U\n#EXT-X-TARGETDURATION:${SECONDS}\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:${SECONDS},\nen.vtt\n#EXT-X-ENDLIST\n`,
  )
  writeFileSync(
    path.join(root, 'show/main.m3u8'),
    [
      '#EXTM3U',
      '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="/keys/show.key"',
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,URI="subs/en.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=200000,CODECS="avc1.4d400c,mp4a.40.2",RESOLUTION=256x144,SUBTITLES="subs"',
      'v0/index.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.4d400c,mp4a.40.2",RESOLUTION=128x72,SUBTITLES="subs"',
      'v1/index.m3u8',
      '',
    ].join('\n'),
  )
}

function encode(root: string, variant: string, scale: string, keyInfo: string): void {
  const directory = path.join(root, 'show', variant)
  const video = [
    '-vf',
    `scale=${scale}`,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-profile:v',
    'main',
    '-g',
    '50',
  ]
  const hls = ['-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_key_info_file', keyInfo]
  const segments = ['-hls_segment_filename', path.join(directory, 'seg-%d.ts')]
  const args = [
    '-v',
    'error',
    '-nostdin',
    '-t',
    String(SECONDS),
    '-i',
    CLIP,
    ...video,
    '-c:a',
    'aac',
    '-b:a',
    '32k',
  ]
  const made = spawnSync('ffmpeg', [...args, ...hls, ...segments, path.join(directory, 'index.m3u8')])
  if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr.toString()}`)
}
