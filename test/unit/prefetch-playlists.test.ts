// What is prefetched of a playlist: renditions with what plays with them, objects once, what is left out.
import t from 'tap'
import { chooseRenditions } from '../../edge/prefetch/jobs/choose-renditions.ts'
import { namedObjects } from '../../edge/prefetch/jobs/named-objects.ts'
import type { Naming } from '../../edge/prefetch/jobs/named-objects.ts'
import { compileOwnUris } from '../../src/hls/own-uris.ts'
import { parsePlaylist } from '../../src/hls/parse.ts'
import type { Renditions } from '../../src/wire/prefetch.ts'

const MAIN = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="en",URI="a/low.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="high",NAME="en",URI="a/high.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="low",NAME="en",URI="s/low.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="en",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1920x1080,AUDIO="high",CLOSED-CAPTIONS="cc"
1080.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2500000,RESOLUTION=1280x720,AUDIO="high"
720.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2500000,RESOLUTION=1280x720,CODECS="hvc1",AUDIO="high"
720-hevc.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=300000,AUDIO="low"
sound.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,URI="trick.m3u8"
`

function chosen(wanted: Renditions, text = MAIN): string[] {
  const parsed = parsePlaylist(Buffer.from(text))
  if (parsed.kind !== 'main') throw new Error(parsed.kind)
  return chooseRenditions(parsed, wanted)
}

t.test('renditions', async (t) => {
  const high = 'a/high.m3u8'
  t.same(chosen('highest'), ['1080.m3u8', high])
  t.same(chosen('lowest'), ['sound.m3u8', 'a/low.m3u8'], 'groups of another type may have the same id')
  t.same(chosen({ heightMax: 720 }), ['720.m3u8', '720-hevc.m3u8', high], 'in every codec')
  t.same(chosen({ heightMax: 360 }), ['sound.m3u8', 'a/low.m3u8'], 'none: the lowest')
  t.same(chosen({ bandwidthMax: 2_500_000 }), ['720.m3u8', '720-hevc.m3u8', 'sound.m3u8', 'a/low.m3u8', high])
  t.same(chosen({ bandwidthMax: 1 }), ['sound.m3u8', 'a/low.m3u8'])
  const all = chosen('all')
  t.equal(all.length, 8)
  t.ok(all.includes('trick.m3u8') && all.includes('s/low.m3u8'))
  t.same(chosen('highest', '#EXTM3U\n#EXT-X-STREAM-INF:A=1\na.m3u8\n'), ['a.m3u8'], 'without BANDWIDTH')
  t.same(chosen('highest', '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="x",URI="x"\n'), [], 'without any')
})

const NAMING: Naming = {
  propertyId: 'shows',
  playlistPath: '/ep1/list.m3u8',
  own: compileOwnUris(['http://origin.example.com/base'], ['shows.example.com']),
  renditions: 'all',
  isKey: (path) => path.endsWith('.key'),
}

const named = (text: string, isWithin = false) =>
  namedObjects(parsePlaylist(Buffer.from(text)), isWithin, NAMING)

t.test('of a media playlist', async (t) => {
  const text = `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MAP:URI="init.mp4"
#EXT-X-KEY:METHOD=AES-128,URI="secret.key"
#EXT-X-KEY:METHOD=AES-128,URI="open.bin"
#EXT-X-DATERANGE:ID="ad",START-DATE="2026-01-01T00:00:00Z",X-ASSET-URI="ad.m3u8"
#EXT-X-BYTERANGE:10@0
#EXTINF:4,
all.mp4
#EXT-X-BYTERANGE:10
#EXTINF:4,
all.mp4
#EXTINF:4,
../ep1/./all.mp4
#EXTINF:4,
http://origin.example.com/base/ep1/own.ts
#EXTINF:4,
http://ads.example.net/ad.ts
#EXT-X-ENDLIST
`
  t.same(named(text), {
    objects: ['/ep1/init.mp4', '/ep1/open.bin', '/ep1/all.mp4', '/ep1/own.ts'].map((path) => ({
      key: `shows ${path}`,
      path,
      upstreamPath: path,
    })),
    arePlaylists: false,
    elsewhere: 2,
  })
  t.same(named(text, true), named(text), 'wherever it was named')
})

t.test('live, within, unreadable', async (t) => {
  const open = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n'
  t.equal(named(open), 'live')
  t.match(
    named(open.replace('#EXTINF', '#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF')),
    { elsewhere: 0 },
    'it will not change',
  )
  t.match(named(MAIN), { arePlaylists: true })
  t.equal(named(MAIN, true), 'main-within')
  t.equal(named('<html>'), 'refused')
})
