// Which playlists get an EXT-X-CONTENT-STEERING of ours, where it stands, and that nothing else changes.
import fc from 'fast-check'
import t from 'tap'
import { announcementOf, steeringLine } from '../../edge/playlist/announce-steering.ts'
import { announceSteering } from '../../src/hls/announce.ts'
import { parsePlaylist } from '../../src/hls/parse.ts'
import { wirePropertySchema } from '../../src/wire/edge-config.ts'

const LINE = '#EXT-X-CONTENT-STEERING:SERVER-URI="https://cdn.example/s",PATHWAY-ID="."'
const VARIANT = '#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n'

t.test('behind the first line of a main playlist, with its line end', async (t) => {
  const cases: [string, string][] = [
    [`#EXTM3U\n${VARIANT}`, `#EXTM3U\n${LINE}\n${VARIANT}`],
    [`#EXTM3U\r\n#EXT-X-VERSION:7\r\n${VARIANT}`, `#EXTM3U\r\n${LINE}\r\n#EXT-X-VERSION:7\r\n${VARIANT}`],
    [`\xef\xbb\xbf#EXTM3U\n${VARIANT}`, `\xef\xbb\xbf#EXTM3U\n${LINE}\n${VARIANT}`],
    [`#EXTM3U \t\n\n  ${VARIANT}`, `#EXTM3U \t\n${LINE}\n\n  ${VARIANT}`],
    [
      '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8',
      `#EXTM3U\n${LINE}\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8`,
    ],
  ]
  for (const [text, announced] of cases)
    t.equal(announceSteering(text, LINE), announced, JSON.stringify(text))
})

t.test('no other playlist', async (t) => {
  const texts = [
    '#EXTM3U\n',
    '#EXTM3U',
    '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n',
    `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${VARIANT}`,
    `#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI="/own"\n${VARIANT}`,
    `#EXTM3U\n \t#EXT-X-CONTENT-STEERING:SERVER-URI="/own"\n${VARIANT}`,
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID="a"\nv.m3u8\n',
    `#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",PATHWAY-ID="a"\n${VARIANT}`,
    '#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n',
    '#EXTM3U\n# not #EXT-X-STREAM-INF: but a comment\n',
    `#EXTM3U\n${VARIANT}${'#\n'.repeat(50_001)}`,
  ]
  for (const text of texts) t.equal(announceSteering(text, LINE), text, JSON.stringify(text.slice(0, 80)))
})

t.test('whatever the playlist: once at most, nothing lost, and it still reads as it did', async () => {
  const line = fc.constantFrom(
    '#EXT-X-STREAM-INF:BANDWIDTH=1',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="a.m3u8"',
    '#EXT-X-TARGETDURATION:4',
    '#EXT-X-CONTENT-STEERING:SERVER-URI="x"',
    'v.m3u8',
    '',
    '#EXTM3U',
  )
  const text = fc
    .tuple(fc.constantFrom('', '\xef\xbb\xbf'), fc.array(line), fc.constantFrom('\n', '\r\n'))
    .map(([mark, lines, end]) => mark + ['#EXTM3U', ...lines, ''].join(end))
  fc.assert(
    fc.property(text, (before) => {
      const after = announceSteering(before, LINE)
      if (after === before) return announceSteering(after, LINE) === before
      const without = after.replace(new RegExp(`${LINE.replaceAll(/[.?]/g, '\\$&')}\r?\n`), '')
      const [was, is] = [before, after].map((one) => parsePlaylist(Buffer.from(one, 'latin1')))
      const references = is?.kind === 'main' ? is.references.filter(({ role }) => role !== 'steering') : null
      return (
        without === before &&
        announceSteering(after, LINE) === after &&
        was?.kind === 'main' &&
        JSON.stringify(references) === JSON.stringify(was.references)
      )
    }),
  )
})

t.test('the line of a property', async (t) => {
  const property = wirePropertySchema.parse({
    id: 'shows',
    hosts: [],
    origins: [{ id: 'o', weight: 1, backup: false, sites: [] }],
    originChoice: 'order',
    failover: { statuses: [], attempts: 1, hedge: false },
    cache: { defaultTtlMs: 0, rules: [], setCookie: 'pass', staleIfErrorMs: 0 },
    forward: [],
    methods: [],
    cors: { origins: [] },
    playlists: { hosts: [], compress: true },
    prefetch: { segments: 0 },
    access: {},
    limits: { client: {}, over: 'refuse' },
    announceSteering: true,
  })
  const config = { version: '1', propertyLabels: false, origins: [], properties: [] }
  const of = (steeringUrl: string | null, over = {}) =>
    announcementOf({ ...property, ...over }, { ...config, steeringUrl }, 'gz-1')
  t.equal(of(null), null, 'no scheduler to name')
  t.equal(of('https://cdn.example', { announceSteering: undefined }), null, 'off')
  const announcement = of('https://cdn.example/"x"')
  if (announcement === null) throw new Error('announced')
  t.equal(
    steeringLine(announcement, '/a b"/\xe9&%2f/main.m3u8'),
    '#EXT-X-CONTENT-STEERING:SERVER-URI="https://cdn.example/%22x%22/.edgeward/steering/shows?asset=/a%20b%22/%E9%26%252f/main.m3u8&from=gz-1",PATHWAY-ID="."',
  )
})
