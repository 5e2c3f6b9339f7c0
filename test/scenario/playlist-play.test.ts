// A player that came by `/~property/` plays a stream whose playlists name everything by root-relative and absolute
// URIs, and never leaves the edge for it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startEdge } from '../kit/edge.ts'
import type { Script } from '../kit/scripted-origin.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const MEDIA = fileURLToPath(new URL('../../deploy/demo/media/fmp4', import.meta.url))
const TRACKS = ['a0', 'v2']

/** Every URI of a playlist behind `base`. */
function rebased(playlist: string, base: string): string {
  return playlist.replaceAll(/^(?!#)(?=.)/gm, base).replaceAll(/URI="/g, `URI="${base}`)
}

t.test('plays to the end, all of it through the edge', { timeout: 120_000 }, async (t) => {
  const origin = await startOrigin(t, {})
  const scripts: Record<string, Script> = {}
  for (const track of TRACKS) {
    for (const name of readdirSync(path.join(MEDIA, track))) {
      const body = readFileSync(path.join(MEDIA, track, name))
      scripts[`/vod/${track}/${name}`] = {
        body,
        fields: { 'Cache-Control': 'max-age=60', ETag: `"${track}/${name}"` },
      }
    }
    const index = readFileSync(path.join(MEDIA, track, 'index.m3u8'), 'utf8')
    // One track by root-relative URIs, the other by absolute ones.
    const base = `${track === 'a0' ? '' : origin.url}/vod/${track}/`
    scripts[`/vod/${track}/index.m3u8`] = { body: rebased(index, base) }
  }
  scripts['/vod/main.m3u8'] = {
    body: `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,URI="/vod/a0/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=69351,CODECS="avc1.4d400c,mp4a.40.2",AUDIO="audio"
${origin.url}/vod/v2/index.m3u8
`,
  }
  for (const [name, script] of Object.entries(scripts)) origin.on(name, script)
  const edge = await startEdge(t, {
    origin: origin.url,
    properties: [{ id: 'shows', hosts: ['shows.example'], origins: [{ id: 'studio' }] }],
  })

  const url = `${edge.url}/~shows/vod/main.m3u8`
  const child = spawn('ffmpeg', ['-v', 'error', '-i', url, '-c', 'copy', '-f', 'null', '-'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  t.equal(errors, '')

  const names = Object.keys(scripts).filter(
    (name) => name.startsWith('/vod/a0/') || name.startsWith('/vod/v2/'),
  )
  t.strictSame(
    names.filter((name) => origin.count(name) === 0),
    [],
    'everything was played',
  )
  const requests = Object.keys(scripts).flatMap((name) => origin.requests(name))
  t.ok(
    requests.every(({ headers }) => headers.via !== undefined),
    'the origin was asked by the edge alone',
  )
})
