// What is remembered of playlists: which segment follows which, what is growing, what may be held.
import t from 'tap'
import { KnownPlaylists, withoutDirectives } from '../../edge/playlist/known-playlists.ts'
import { compileOwnUris } from '../../src/hls/own-uris.ts'
import { parsePlaylist } from '../../src/hls/parse.ts'

const KEY = 'shows /live/v.m3u8'
const context = {
  propertyId: 'shows',
  playlistPath: '/live/v.m3u8',
  own: compileOwnUris(['http://origin.example/base'], ['shows.example']),
}

function note(known: KnownPlaylists, text: string, key = KEY): void {
  const parsed = parsePlaylist(Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:4\n${text}`))
  if (parsed.kind !== 'media') throw new Error(parsed.kind)
  known.note(key, parsed, 4000, context, true)
}

const window = (first: number, count: number, name = (i: number) => `s${i}.ts`) =>
  `#EXT-X-MEDIA-SEQUENCE:${first}\n${Array.from({ length: count }, (_, i) => `#EXTINF:4,\n${name(first + i)}\n`).join('')}`

const following = (known: KnownPlaylists, name: string, count = 2) =>
  known.following(`shows /live/${name}`, count).map(({ path }) => path)

t.test('the window of a live playlist slides', async (t) => {
  const known = new KnownPlaylists()
  note(known, window(5, 4))
  t.strictSame(following(known, 's5.ts'), ['/live/s6.ts', '/live/s7.ts'])
  t.strictSame(following(known, 's8.ts'), [], 'not there yet')
  note(known, window(7, 4))
  t.strictSame(following(known, 's8.ts', 9), ['/live/s9.ts', '/live/s10.ts'])
  t.strictSame(following(known, 's5.ts'), [], 'gone')
  t.equal(known.segmentCount, 4)
  note(known, `#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n${window(8, 2, (i) => `s${i + 3}.ts`)}`)
  t.strictSame(
    following(known, 's9.ts'),
    ['/live/s10.ts', '/live/s11.ts'],
    'a delta update goes on where it was',
  )
  note(known, window(0, 3))
  t.strictSame(following(known, 's0.ts'), ['/live/s1.ts', '/live/s2.ts'], 'the encoder started anew')
  t.equal(known.segmentCount, 3)
})

t.test('every way of naming a segment', async (t) => {
  const known = new KnownPlaylists()
  const names = [
    'a.ts?x=1',
    './b.ts',
    '../live/c.ts',
    '/live/d.ts',
    '/base/live/e.ts',
    'http://origin.example/base/live/f.ts',
    'https://shows.example/live/g.ts',
    '/~shows/live/h.ts',
    'https://else.example/i.ts',
  ]
  note(
    known,
    window(0, names.length, (i) => names[i] ?? ''),
  )
  t.strictSame(
    following(known, 'a.ts?x=1', 9),
    ['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `/live/${name}.ts`),
  )
})

t.test('ranges of one file are not fetched ahead', async (t) => {
  const known = new KnownPlaylists()
  note(known, '#EXTINF:4,\n#EXT-X-BYTERANGE:10@0\nall.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10\nall.mp4\n')
  t.equal(known.segmentCount, 0)
})

t.test('growing, hinted, and then complete', async (t) => {
  const known = new KnownPlaylists()
  note(
    known,
    `${window(1, 1)}#EXT-X-PART:DURATION=1,URI="s2.ts",BYTERANGE="5@0"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p.ts"\n`,
  )
  t.ok(known.isGrowing('shows /live/s2.ts'))
  t.notOk(known.isGrowing('shows /live/s1.ts'))
  t.equal(known.heldTargetMsOf('shows /live/s2.ts bytes=5-9'), 4000)
  t.equal(known.heldTargetMsOf('shows /live/p.ts'), 4000)
  t.equal(known.heldTargetMsOf('shows /live/s1.ts'), undefined)
  t.equal(known.targetMsOf(`${KEY}?_HLS_msn=3&_HLS_part=1`), 4000)
  t.equal(known.targetMsOf('shows /else.m3u8'), undefined)
  note(known, window(1, 2), `${KEY}?_HLS_msn=2`)
  t.notOk(known.isGrowing('shows /live/s2.ts'))
  t.equal(known.heldTargetMsOf('shows /live/p.ts'), undefined)
})

t.test('delivery directives do not make another playlist', async (t) => {
  t.equal(withoutDirectives('p /v.m3u8?_HLS_msn=1&_HLS_part=0&_HLS_skip=YES'), 'p /v.m3u8')
  t.equal(withoutDirectives('p /v.m3u8?_HLS_msn=1&token=x'), 'p /v.m3u8?token=x')
  t.equal(withoutDirectives('p /v.m3u8?token=x'), 'p /v.m3u8?token=x')
})

t.test('it forgets playlists before it grows without bound', async (t) => {
  const known = new KnownPlaylists()
  for (let i = 0; i < 6000; i++)
    note(
      known,
      window(0, 2, (n) => `${i}-${n}.ts`),
      `shows /${i}.m3u8`,
    )
  t.equal(known.segmentCount, 10_000)
  t.strictSame(following(known, '0-0.ts'), [])
  t.strictSame(following(known, '5999-0.ts'), ['/live/5999-1.ts'])
})
