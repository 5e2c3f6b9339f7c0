// What it costs to carry a grant on: filling in a playlist of 20 KB for one client, making a grant, checking one.
import { writeFileSync } from 'node:fs'
import { systemClock } from '../src/clock.ts'
import { GrantKeys } from '../src/access/grant.ts'
import { compileOwnUris } from '../src/hls/own-uris.ts'
import { rewritePlaylist } from '../src/hls/rewrite.ts'
import { carriedTemplate } from '../edge/playlist/carried-template.ts'

const RESULT = new URL('results/carry.json', import.meta.url)
const ROUNDS = 9
const TIMES = 4000

const own = compileOwnUris(['http://origin.example'], ['shows.example.com'])
const rules = { id: 'bench', prefix: '/~shows', propertyPrefix: '/~shows', ...own }
const context = { propertyId: 'shows', playlistPath: '/ep1/v0/index.m3u8', own }
const keys = new GrantKeys('shows', ['0123456789abcdef0123456789abcdef'])
const grant = { session: 'AAAAAAAAAAA', expiresMs: 1_800_000_000_000, bound: false }
const text = keys.sign(grant, { directory: '/ep1/v0/' }, '')

function playlist(uriOf: (i: number) => string): string {
  const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:6', '#EXT-X-MAP:URI="init.mp4"']
  for (let i = 0; lines.join('\n').length < 20_000; i++) lines.push('#EXTINF:6.00000,', uriOf(i))
  return `${lines.join('\n')}\n`
}

const relative = playlist((i) => `segment-with-a-long-name-${i}.m4s`)
const rooted = playlist((i) => `/ep1/v0/segment-with-a-long-name-${i}.m4s`)
const uris = relative.split('\n').filter((line) => line.endsWith('.m4s')).length

function templateOf(source: string, by: 'query' | 'path') {
  const template = carriedTemplate(source, rules, { by, context })
  if (template === null) throw new Error('not a playlist')
  return template
}

const inQuery = templateOf(relative, 'query')
const inPath = templateOf(rooted, 'path')

const QUESTIONS: Record<string, () => unknown> = {
  'fill in, relative URIs, rewrite': () => inQuery.fill(() => text),
  'fill in, root-relative URIs, path': () => inPath.fill(() => text),
  'read and mark, once a playlist': () => templateOf(relative, 'query'),
  'rewrite without grants, once a playlist': () => rewritePlaylist(rooted, rules),
  'make a grant': () => keys.sign(grant, { directory: '/ep1/v0/' }, ''),
  'check a grant': () => keys.open(text, '/ep1/v0/segment-1.m4s', ''),
}

let sink: unknown
function microseconds(run: () => unknown): number {
  const started = systemClock.monotonic()
  for (let i = 0; i < TIMES; i++) sink = run()
  return ((systemClock.monotonic() - started) * 1000) / TIMES
}

const results: Record<string, { medianUs: number; leastUs: number; mostUs: number }> = {}
for (const [name, run] of Object.entries(QUESTIONS)) {
  microseconds(run)
  const runs = Array.from({ length: ROUNDS }, () => microseconds(run)).toSorted((a, b) => a - b)
  const at = (i: number) => Number((runs[i] ?? Number.NaN).toFixed(2))
  results[name] = { medianUs: at(Math.floor(ROUNDS / 2)), leastUs: at(0), mostUs: at(ROUNDS - 1) }
}
if (sink === undefined) throw new Error('nothing was measured')

process.stdout.write(`playlist of ${relative.length} bytes, ${uris} URIs; medians of ${ROUNDS} runs\n\n`)
for (const [name, { medianUs, leastUs, mostUs }] of Object.entries(results))
  process.stdout.write(`${name.padEnd(42)}${medianUs.toFixed(2).padStart(9)} µs  (${leastUs} to ${mostUs})\n`)
writeFileSync(RESULT, `${JSON.stringify({ playlistBytes: relative.length, uris, results }, null, 2)}\n`)
