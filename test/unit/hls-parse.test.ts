// The playlist parser on the examples of RFC 8216bis and on what goes wrong in the field.
import t from 'tap'
import { PLAYLIST_BYTES_MAX, PLAYLIST_LINES_MAX } from '../../src/hls/lines.ts'
import { parsePlaylist } from '../../src/hls/parse.ts'
import type { MainPlaylist, MediaPlaylist } from '../../src/hls/playlist.ts'

function media(text: string): MediaPlaylist {
  const parsed = parsePlaylist(Buffer.from(text))
  if (parsed.kind !== 'media') throw new Error(`parsed as ${parsed.kind}`)
  return parsed
}

function main(text: string): MainPlaylist {
  const parsed = parsePlaylist(Buffer.from(text))
  if (parsed.kind !== 'main') throw new Error(`parsed as ${parsed.kind}`)
  return parsed
}

t.test('a VOD playlist', async (t) => {
  const playlist = media(
    '#EXTM3U\r\n#EXT-X-VERSION:3\r\n#EXT-X-PLAYLIST-TYPE:VOD\r\n#EXT-X-TARGETDURATION:10\r\n\r\n' +
      '#EXTINF:9.009,a title, with a comma\r\nfirst.ts\r\n#EXT-X-DISCONTINUITY\r\n#EXTINF:3,\r\n second.ts \r\n#EXT-X-ENDLIST\r\n',
  )
  t.match(playlist, {
    targetDurationMs: 10_000,
    partTargetMs: null,
    ended: true,
    type: 'VOD',
    mediaSequence: 0,
  })
  t.match(playlist.segments, [
    { uri: 'first.ts', sequence: 0, durationMs: 9009, discontinuity: false, span: null },
    { uri: 'second.ts', sequence: 1, durationMs: 3000, discontinuity: true },
  ])
})

t.test('a Low-Latency playlist: parts, hints, reports, control', async (t) => {
  const playlist = media(`#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-VERSION:6
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=0.33334
#EXT-X-MEDIA-SEQUENCE:266
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="init.mp4"
#EXTINF:4.00008,
fileSequence266.mp4
#EXT-X-PART:DURATION=0.33334,URI="filePart267.0.mp4",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33334,URI="filePart267.1.mp4"
#EXTINF:4.00008,
fileSequence267.mp4
#EXT-X-PART:DURATION=0.33334,URI="filePart268.0.mp4",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="filePart268.1.mp4"
#EXT-X-RENDITION-REPORT:URI="../1M/waitForMSN.php",LAST-MSN=268,LAST-PART=0
`)
  t.match(playlist, {
    targetDurationMs: 4000,
    canBlockReload: true,
    canSkipUntilMs: 12_000,
    partHoldBackMs: 1000,
    discontinuitySequence: 3,
    ended: false,
  })
  t.ok(Math.abs((playlist.partTargetMs ?? 0) - 333.34) < 1e-6)
  t.strictSame(
    playlist.segments.map(({ sequence, parts }) => [sequence, parts.map(({ uri }) => uri)]),
    [
      [266, []],
      [267, ['filePart267.0.mp4', 'filePart267.1.mp4']],
    ],
  )
  t.match(playlist.trailingParts, [{ uri: 'filePart268.0.mp4', independent: true }])
  t.strictSame(playlist.hints, [{ type: 'PART', uri: 'filePart268.1.mp4', span: null }])
  t.strictSame(playlist.references, [
    { role: 'map', uri: 'init.mp4' },
    { role: 'rendition-report', uri: '../1M/waitForMSN.php' },
  ])
})

t.test('byte ranges go on where the one before ended', async (t) => {
  const playlist = media(`#EXTM3U
#EXT-X-TARGETDURATION:4
#EXTINF:4,
#EXT-X-BYTERANGE:1000@500
all.mp4
#EXTINF:4,
#EXT-X-BYTERANGE:2000
all.mp4
#EXTINF:4,
#EXT-X-BYTERANGE:30
other.mp4
#EXT-X-PART:DURATION=1,URI="s3.mp4",BYTERANGE="100@0"
#EXT-X-PART:DURATION=1,URI="s3.mp4",BYTERANGE=200
#EXT-X-PART:DURATION=1,URI="s3.mp4",BYTERANGE="300"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s3.mp4",BYTERANGE-START=600
#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="i.mp4",BYTERANGE-START=5,BYTERANGE-LENGTH=10
`)
  t.strictSame(
    playlist.segments.map(({ span }) => span),
    [
      { start: 500, end: 1500 },
      { start: 1500, end: 3500 },
      { start: 0, end: 30 },
    ],
  )
  t.strictSame(
    playlist.trailingParts.map(({ span }) => span),
    [
      { start: 0, end: 100 },
      { start: 100, end: 300 },
      { start: 300, end: 600 },
    ],
  )
  t.strictSame(
    playlist.hints.map(({ type, span }) => [type, span]),
    [
      ['PART', { start: 600, end: null }],
      ['MAP', { start: 5, end: 15 }],
    ],
  )
})

t.test('a delta update numbers its segments behind those it skips', async (t) => {
  const playlist = media(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-SKIP:SKIPPED-SEGMENTS=20,RECENTLY-REMOVED-DATERANGES="a,b"
#EXT-X-TARGETDURATION:4
#EXTINF:4,
s120.mp4
`)
  t.equal(playlist.skippedSegments, 20)
  t.equal(playlist.segments[0]?.sequence, 120)
})

t.test('a main playlist and every kind of reference', async (t) => {
  const playlist = main(`#EXTM3U
#EXT-X-DEFINE:NAME="base",VALUE="/live"
#EXT-X-DEFINE:QUERYPARAM="token"
#EXT-X-CONTENT-STEERING:SERVER-URI="/steering?v=1",PATHWAY-ID="CDN-A"
#EXT-X-SESSION-DATA:DATA-ID="com.example.title",URI="title.json",LANGUAGE="en"
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="https://keys.example/k,1"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x, y",DEFAULT=YES,URI="{$base}/a.m3u8?t={$token}"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="cc",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1,mp4a"
{$base}/v.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI="iframe.m3u8"
`)
  t.strictSame(
    playlist.references.map(({ role, uri }) => `${role} ${uri}`),
    [
      'steering /steering?v=1',
      'session-data title.json',
      'session-key https://keys.example/k,1',
      'rendition /live/a.m3u8?t={$token}',
      'variant /live/v.m3u8',
      'i-frame-variant iframe.m3u8',
    ],
  )
})

t.test('interstitials and keys of a media playlist', async (t) => {
  const playlist = media(`#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-KEY:METHOD=AES-128,URI="/key",IV=0x0
#EXT-X-DATERANGE:ID="ad",CLASS="com.apple.hls.interstitial",X-ASSET-URI="/ad.m3u8"
#EXT-X-DATERANGE:ID="ad2",X-ASSET-LIST="/list.json"
`)
  t.strictSame(
    playlist.references.map(({ role }) => role),
    ['key', 'asset', 'asset-list'],
  )
})

const refused = (text: string | Buffer) => {
  const parsed = parsePlaylist(Buffer.from(text))
  return parsed.kind === 'refused' ? parsed.why : parsed.kind
}

t.test('what is no playlist is refused by name', async (t) => {
  for (const text of [
    '',
    'EXTM3U',
    '#EXTM3',
    '#EXTM3U8\n',
    '<html>',
    ' #EXTM3U\n',
    '#EXTM3UX\n',
    '\0#EXTM3U\n',
  ]) {
    t.equal(refused(text), 'not-a-playlist', JSON.stringify(text))
  }
  for (const text of ['#EXTM3U', '#EXTM3U\n', '#EXTM3U \r\n', '\ufeff#EXTM3U\n'])
    t.equal(refused(text), 'main')
  t.equal(refused(`#EXTM3U\n${'x'.repeat(PLAYLIST_BYTES_MAX)}`), 'too-long')
  t.equal(refused(`#EXTM3U\n${'\n'.repeat(PLAYLIST_LINES_MAX)}`), 'too-many-lines')
})

t.test('a value that is not well formed counts as absent', async (t) => {
  const playlist = media(`#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-TARGETDURATION:-1
#EXT-X-MEDIA-SEQUENCE:99999999999999999999
#EXT-X-PART-INF:PART-TARGET="1
#EXT-X-PART:DURATION=x,URI=p.mp4,BYTERANGE="1@x"
#EXT-X-PART:DURATION=1
#EXT-X-SERVER-CONTROL
#EXT-X-PRELOAD-HINT:,,=,TYPE=
#EXTINF
s.mp4
`)
  t.match(playlist, { targetDurationMs: null, mediaSequence: 0, partTargetMs: null, hints: [] })
  t.match(playlist.segments, [
    { uri: 's.mp4', durationMs: null, parts: [{ uri: 'p.mp4', span: null, durationMs: null }] },
  ])
})

t.test('variables cannot make a small playlist enormous', async (t) => {
  const lines = [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:4',
    `#EXT-X-DEFINE:NAME="a",VALUE="${'x'.repeat(1_000_000)}"`,
  ]
  for (let i = 0; i < 10_000; i++) lines.push('{$a}{$a}')
  const total = media(lines.join('\n')).segments.reduce((sum, { uri }) => sum + uri.length, 0)
  t.ok(total < 5_000_000, `${total} characters`)
})
