// The playlist parser and the rewriter on damaged playlists: neither throws nor takes longer than its input is long,
// and what the parser gives back is within its bounds. A second of it in each test run; for more, set
// EDGEWARD_FUZZ_SECONDS and run the file with node itself.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { systemClock, systemRandom } from '../../src/clock.ts'
import { compileOwnUris } from '../../src/hls/own-uris.ts'
import { parsePlaylist } from '../../src/hls/parse.ts'
import { rewritePlaylist } from '../../src/hls/rewrite.ts'

const SECONDS = Number(process.env['EDGEWARD_FUZZ_SECONDS'] ?? '1')
/** Far beyond what 64 KB take, on a machine that does other things too. */
const EACH_MS_MAX = 1000

const media = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../deploy/demo/media/${name}`, import.meta.url)))

const SEEDS = [
  media('fmp4/main.m3u8'),
  media('fmp4/v0/index.m3u8'),
  Buffer.from(`#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=0.33334
#EXT-X-MEDIA-SEQUENCE:266
#EXT-X-SKIP:SKIPPED-SEGMENTS=3
#EXT-X-DEFINE:NAME="a",VALUE="/b{$a}"
#EXT-X-DEFINE:QUERYPARAM="t"
#EXT-X-PART:DURATION=0.33334,URI="{$a}/p.mp4",BYTERANGE="20@1"
#EXTINF:4.00008,
#EXT-X-BYTERANGE:100@5
/s.mp4?x={$t}
#EXT-X-DATERANGE:ID="ad",X-ASSET-URI="http://origin.example/ad.m3u8"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p2.mp4",BYTERANGE-START=3
#EXT-X-RENDITION-REPORT:URI="../r.m3u8",LAST-MSN=268,LAST-PART=0
`),
]
const PIECES = [
  '#EXT-X-',
  'URI="',
  '"',
  ',',
  '=',
  '\n',
  '\r',
  '{$a}',
  '/',
  'http://',
  '@',
  '\0',
  '\xff',
  '9'.repeat(20),
]

const seed = Math.floor(systemRandom() * 2 ** 32)
let state = seed || 1
/** Below `bound`; xorshift32, so that the seed repeats a run. */
function pick(bound: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % bound
}

function damaged(): Buffer {
  let text = SEEDS[pick(SEEDS.length)]?.toString('latin1') ?? ''
  for (let edits = pick(8); edits >= 0; edits--) {
    const at = pick(text.length + 1)
    const length = pick(12)
    const piece = PIECES[pick(PIECES.length)] ?? ''
    const repeated = pick(40) === 0 ? piece.repeat(pick(5000)) : piece
    const middle = pick(3) === 0 ? text.slice(at, at + pick(200)).repeat(pick(20)) : repeated
    text = text.slice(0, at) + middle + text.slice(at + length)
    if (text.length > 65_536) text = text.slice(0, 65_536)
  }
  return Buffer.from(pick(4) === 0 ? text : text.replace(/^[^\n]*/, '#EXTM3U'), 'latin1')
}

const own = compileOwnUris(['http://origin.example/'], ['shows.example'])

t.test(`for ${SECONDS} s, seed ${seed}`, { timeout: SECONDS * 1000 + 30_000 }, async (t) => {
  const rules = { prefix: '/~shows', propertyPrefix: '/~shows', ...own }
  const startedMs = systemClock.monotonic()
  let runs = 0
  let read = 0
  let slowestMs = 0
  while (systemClock.monotonic() - startedMs < SECONDS * 1000) {
    const bytes = damaged()
    const fromMs = systemClock.monotonic()
    const parsed = parsePlaylist(bytes)
    const text = bytes.toString('latin1')
    const once = rewritePlaylist(text, rules)
    slowestMs = Math.max(slowestMs, systemClock.monotonic() - fromMs)
    runs++
    if (parsed.kind !== 'refused') read++
    if (parsed.kind === 'media') {
      for (const { sequence, span } of parsed.segments) {
        if (!Number.isSafeInteger(sequence)) t.fail(`sequence ${sequence}: ${JSON.stringify(text)}`)
        if (span !== null && span.end !== null && span.end < span.start) t.fail(JSON.stringify(text))
      }
    }
    if (rewritePlaylist(once, rules) !== once) t.fail(`rewritten twice: ${JSON.stringify(text)}`)
  }
  t.ok(read > runs / 4, `${read} of ${runs} were read as playlists`)
  t.ok(slowestMs < EACH_MS_MAX, `the slowest took ${slowestMs} ms`)
})

t.test('the worst texts of 2 MiB take linear time', async (t) => {
  const rules = { prefix: '/~shows', propertyPrefix: '/~shows', ...own }
  const worst = {
    'lines of one character': 'a\n',
    'tags without colon': '#EXT-X-MAP\n'.repeat(3),
    'attributes without value': '#EXT-X-MAP:A=',
    'quotes that never close': '#EXT-X-MAP:URI="',
    'one line of attributes': '#EXT-X-MAP:' + 'A=1,'.repeat(1000),
    equals: '=',
    commas: '#EXT-X-MAP:,,,,',
    variables: '{$a}',
    spaces: ' ',
    slashes: '\n/',
  }
  for (const [name, unit] of Object.entries(worst)) {
    const text = `#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="/${'b'.repeat(500)}"\n${unit.repeat(Math.floor((2 ** 21 - 1000) / unit.length))}`
    const bytes = Buffer.from(text, 'latin1')
    const fromMs = systemClock.monotonic()
    parsePlaylist(bytes)
    rewritePlaylist(text, rules)
    const tookMs = systemClock.monotonic() - fromMs
    t.ok(tookMs < 10_000, `${name}: ${tookMs.toFixed(0)} ms`)
  }
})
