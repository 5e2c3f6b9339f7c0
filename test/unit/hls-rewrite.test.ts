// Which URIs of a playlist change on their way to a player, and into what.
import t from 'tap'
import { compileOwnUris } from '../../src/hls/own-uris.ts'
import { rewritePlaylist } from '../../src/hls/rewrite.ts'

const own = compileOwnUris(
  ['http://origin.example/base/', 'https://backup.example:8443'],
  ['shows.example', '*.cdn.example', '*'],
)
const PREFIXED = { prefix: '/~shows', propertyPrefix: '/~shows', ...own }
const BY_HOST = { ...PREFIXED, prefix: '' }

/** What becomes of one URI, alone on its line. */
function uri(text: string, rules = PREFIXED): string {
  return rewritePlaylist(`#EXTM3U\n${text}\n`, rules).slice('#EXTM3U\n'.length, -1)
}

t.test('prefixed', async (t) => {
  const cases = {
    'a/b.ts': 'a/b.ts',
    '../b.ts?x=/y': '../b.ts?x=/y',
    '/a.ts': '/~shows/a.ts',
    '/base/a.ts': '/~shows/a.ts',
    '/baseball/a.ts': '/~shows/baseball/a.ts',
    '/~shows/a.ts': '/~shows/a.ts',
    '/~showsx/a.ts': '/~shows/~showsx/a.ts',
    'http://origin.example/base/a.ts?b=c': '/~shows/a.ts?b=c',
    'HTTP://Origin.Example:80/base': '/~shows/',
    'http://origin.example/base?x': '/~shows/?x',
    'http://origin.example/other/a.ts': 'http://origin.example/other/a.ts',
    'http://origin.example:8080/base/a.ts': 'http://origin.example:8080/base/a.ts',
    'https://backup.example:8443/a.ts': '/~shows/a.ts',
    'https://backup.example/a.ts': 'https://backup.example/a.ts',
    'https://shows.example/a.ts': '/~shows/a.ts',
    'https://shows.example': '/~shows/',
    'https://shows.example/~shows/a.ts': '/~shows/a.ts',
    'http://x.y.cdn.example/a.ts': '/~shows/a.ts',
    'http://cdn.example/a.ts': 'http://cdn.example/a.ts',
    '//shows.example/a.ts': '/~shows/a.ts',
    '//else.example/a.ts': '//else.example/a.ts',
    'https://user@shows.example/a.ts': 'https://user@shows.example/a.ts',
    'https://shows.example\\@else.example/': 'https://shows.example\\@else.example/',
    'data:text/plain,/a': 'data:text/plain,/a',
    'hello.ts': 'hello.ts',
    '{$x}/a.ts': '{$x}/a.ts',
  }
  for (const [from, to] of Object.entries(cases)) t.equal(uri(from), to, from)
})

t.test('by host', async (t) => {
  const cases = {
    '/a.ts': '/a.ts',
    '/base/a.ts': '/~shows/a.ts',
    'http://origin.example/base/a.ts': '/a.ts',
    'http://origin.example/base//a.ts': '/~shows//a.ts',
    'http://origin.example/base/~x/a.ts': '/~shows/~x/a.ts',
    'https://shows.example/a.ts': '/a.ts',
    'https://else.example/a.ts': 'https://else.example/a.ts',
  }
  for (const [from, to] of Object.entries(cases)) t.equal(uri(from, BY_HOST), to, from)
})

const everyTag = (base: string) => `#EXTM3U\r
# /comment "/x"
#EXT-X-KEY:METHOD=AES-128,URI="${base}/k",KEYFORMAT="/identity"
#EXT-X-MAP:BYTERANGE="1@0",URI="${base}/i.mp4"
#EXT-X-PART:DURATION=1,URI="${base}/p.mp4"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${base}/h.mp4"
#EXT-X-RENDITION-REPORT:URI="${base}/r.m3u8",LAST-MSN=1
#EXT-X-DATERANGE:ID="/id",X-ASSET-URI="${base}/ad.m3u8",X-OTHER="/kept"
#EXT-X-DATERANGE:ID="2",X-ASSET-LIST="${base}/list.json"
#EXT-X-MEDIA:TYPE=AUDIO,NAME="/name",URI="${base}/a.m3u8"
#EXT-X-I-FRAME-STREAM-INF:URI="${base}/if.m3u8",BANDWIDTH=1
#EXT-X-IMAGE-STREAM-INF:URI="${base}/im.m3u8",BANDWIDTH=1
#EXT-X-SESSION-DATA:DATA-ID="x",VALUE="/kept",URI="${base}/d.json"
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="${base}/sk"
#EXT-X-CONTENT-STEERING:SERVER-URI="${base}/steer",PATHWAY-ID="/p"
#EXT-X-DEFINE:NAME="v",VALUE="/kept"
#EXT-X-DEFINE:QUERYPARAM="token"
#EXT-X-UNKNOWN:URI="/kept"
#EXTINF:4,/title
  ${base}/s.ts?x="/y"\t\r
\t${base}/t.ts`

t.test('every tag that carries a URI, and no other text', async (t) => {
  t.equal(rewritePlaylist(everyTag(''), PREFIXED), everyTag('/~shows'))
})

const withVariables = (first: string, second: string) => `#EXTM3U
#EXT-X-DEFINE:NAME="root",VALUE="http://origin.example/base/live"
#EXT-X-DEFINE:NAME="dir",VALUE="live"
#EXT-X-DEFINE:QUERYPARAM="token"
${first}
{$dir}/b.ts
/c.ts?t={$token}
${second}
`

t.test('a variable at the start is replaced where what it holds leads away', async (t) => {
  const written = withVariables('{$root}/a.ts?t={$token}', '#EXT-X-MAP:URI="{$root}/i.mp4"')
  t.equal(
    rewritePlaylist(written, PREFIXED),
    withVariables('/~shows/live/a.ts?t={$token}', '#EXT-X-MAP:URI="/~shows/live/i.mp4"').replace(
      '\n/c.ts',
      '\n/~shows/c.ts',
    ),
  )
})

t.test('a playlist in which nothing leads away is given back as it is', async (t) => {
  const text = '#EXTM3U\n#EXT-X-MAP:URI="i.mp4"\n#EXTINF:1,\na.ts\n'
  t.equal(rewritePlaylist(text, PREFIXED), text)
  const bytes = Buffer.from('#EXTM3U\n#EXTINF:1,caf\u00e9 \u{1f3a5}\n/\u00e9.ts\n')
  const result = rewritePlaylist(bytes.toString('latin1'), PREFIXED)
  t.equal(
    Buffer.from(result, 'latin1').toString(),
    bytes.toString().replace('\n/', '\n/~shows/'),
    'bytes beyond ASCII stay',
  )
})
