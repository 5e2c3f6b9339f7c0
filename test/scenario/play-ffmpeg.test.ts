// ffmpeg plays through the scheduler's URLs; what it and a plain client receive from the edges is byte for
// byte what the origin has, for the recording and for the live channel.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startDemo } from '../kit/demo.ts'
import { tempDirectory } from '../kit/temp.ts'

const run = promisify(execFile)
const FFMPEG_WITHIN_MS = 60_000

/** Runs ffmpeg to its end; gives what it wrote and said. */
function ffmpeg(args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run('ffmpeg', ['-nostdin', '-hide_banner', ...args], {
    timeout: FFMPEG_WITHIN_MS,
    maxBuffer: 64 * 2 ** 20,
  })
}

/** A digest of every stream's packets, without decoding. */
async function streamHashes(url: string): Promise<string> {
  const { stdout } = await ffmpeg([
    '-v',
    'error',
    '-i',
    url,
    '-map',
    '0',
    '-c',
    'copy',
    '-f',
    'streamhash',
    '-',
  ])
  return stdout
}

/** The packets of the first video stream, each as a digest. */
async function packetHashes(args: string[]): Promise<{ hashes: string[]; log: string }> {
  const output = ['-map', '0:v:0', '-c', 'copy', '-f', 'framehash', '-']
  const { stdout, stderr } = await ffmpeg(['-v', 'verbose', ...args, ...output])
  const rows = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return { hashes: rows.map((row) => row.slice(row.lastIndexOf(',') + 1).trim()), log: stderr }
}

async function bytesOf(url: string): Promise<Buffer> {
  const response = await fetch(url)
  const body = Buffer.from(await response.arrayBuffer())
  if (response.status !== 200) throw new Error(`${url} says ${response.status}`)
  return body
}

function urisOf(playlist: string): string[] {
  const inTags = [...playlist.matchAll(/URI="([^"]+)"/g)].map((match) => match[1] ?? '')
  const lines = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return [...inTags, ...lines]
}

/** Every object reachable from a playlist, by its path from the playlist's directory. */
async function fetchAll(mainUrl: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>()
  const base = new URL('./', mainUrl).href
  const visit = async (url: string): Promise<void> => {
    const body = await bytesOf(url)
    digests.set(url.slice(base.length), createHash('sha256').update(body).digest('hex'))
    if (!url.endsWith('.m3u8')) return
    await Promise.all(urisOf(body.toString()).map((uri) => visit(new URL(uri, url).href)))
  }
  await visit(mainUrl)
  return digests
}

const { info } = await startDemo(t)

// Before all others: no edge has anything of it yet.
t.test('every playlist and segment of the recording, first fetched and then cached', async (t) => {
  for (const asset of ['vod/fmp4/main.m3u8', 'vod/ts/main.m3u8']) {
    const direct = await fetchAll(`${info.origin}/${asset}`)
    t.ok(direct.size > 90, `${direct.size} objects`)
    const steered = `${info.scheduler.steering}/~demo/${asset}`
    t.strictSame(await fetchAll(steered), direct, `${asset}, cold`)
    t.strictSame(await fetchAll(steered), direct, `${asset}, cached`)
  }
})

t.test('ffmpeg plays the recording', async (t) => {
  for (const asset of ['vod/fmp4/main.m3u8', 'vod/ts/main.m3u8', 'vod/clip.mp4']) {
    const steered = await streamHashes(`${info.scheduler.steering}/~demo/${asset}`)
    const direct = await streamHashes(`${info.origin}/${asset}`)
    t.match(steered, /SHA256=[0-9a-f]{64}/, `${asset} was played`)
    t.equal(steered, direct, `${asset} is what the origin has`)
  }
})

t.test('ffmpeg plays live', async (t) => {
  const { hashes, log } = await packetHashes(['-t', '8', '-i', info.live])
  t.ok(hashes.length >= 8 * 25 - 1, `${hashes.length} frames of 8 s`)

  const opened = [...log.matchAll(/Opening '(http[^']+\/v0\/seg-(\d+)\.m4s)' for reading/g)]
  const sequences = opened.map((match) => Number(match[2]))
  t.ok(sequences.length >= 4, `segments ${sequences.join(', ')}`)
  const hosts = [...new Set(opened.map((match) => new URL(match[1] ?? '').host))]
  const edges = info.edges.map(({ url }) => new URL(url).host)
  t.ok(
    hosts.length === 1 && edges.includes(hosts[0] ?? ''),
    `all from the edge it was sent to: ${hosts.join(', ')}`,
  )
  const first = sequences[0] ?? 0
  t.strictSame(
    sequences,
    sequences.map((_, i) => first + i),
    'without a gap',
  )

  // The same segments, taken from the origin and joined, hold the same packets in the same order.
  const directory = `${info.origin}/live/fmp4/v0`
  const names = ['init.mp4', ...sequences.map((sequence) => `seg-${sequence}.m4s`)]
  const parts = await Promise.all(names.map((name) => bytesOf(`${directory}/${name}`)))
  const joined = path.join(await tempDirectory(t), 'joined.mp4')
  await writeFile(joined, Buffer.concat(parts))
  const expected = await packetHashes(['-i', joined])
  t.strictSame(hashes, expected.hashes.slice(0, hashes.length))
})

t.test('live segments and their playlists, in both containers', async (t) => {
  for (const container of ['fmp4/v1', 'fmp4/a0', 'ts/v1']) {
    const playlistUrl = `${info.scheduler.steering}/~demo/live/${container}/index.m3u8`
    const playlist = (await bytesOf(playlistUrl)).toString()
    const uris = urisOf(playlist)
    t.ok(uris.length >= 6, playlist)
    for (const uri of uris) {
      const steered = await bytesOf(new URL(uri, playlistUrl).href)
      const direct = await bytesOf(`${info.origin}/live/${container}/${uri}`)
      t.ok(steered.length > 0 && steered.equals(direct), `${container}/${uri}`)
    }
  }
})
