// A playlist with places for grants: every URI that leads into the property has one, everything else is as it was.
import fc from 'fast-check'
import t from 'tap'
import { carriedTemplate } from '../../edge/playlist/carried-template.ts'
import type { GrantScope } from '../../src/access/grant.ts'
import { compileOwnUris } from '../../src/hls/own-uris.ts'

const own = compileOwnUris(['http://origin.example/base'], ['shows.example.com'])
const rules = { id: 'x', prefix: '/~shows', propertyPrefix: '/~shows', ...own }
const context = { propertyId: 'shows', playlistPath: '/ep1/v0/index.m3u8', own }

const name = (scope: GrantScope) => ('exact' in scope ? `[${scope.exact}]` : `[${scope.directory}]`)

function filled(text: string, by: 'query' | 'path' | 'cookie'): string {
  return carriedTemplate(text, rules, { by, context })?.fill(name).toString('latin1') ?? 'none'
}

const URIS: readonly [uri: string, inQuery: string, inPath: string][] = [
  ['seg.ts', 'seg.ts?~g=[/ep1/v0/]', 'seg.ts'],
  ['seg.ts?a=1', 'seg.ts?a=1&~g=[/ep1/v0/]', 'seg.ts?a=1'],
  ['seg.ts#t=1', 'seg.ts?~g=[/ep1/v0/]#t=1', 'seg.ts#t=1'],
  ['low/seg.ts', 'low/seg.ts?~g=[/ep1/v0/low/]', 'low/seg.ts'],
  ['../a0/seg.ts', '../a0/seg.ts?~g=[/ep1/a0/]', '/~shows/~~[/ep1/a0/]/ep1/a0/seg.ts'],
  ['/keys/1.key', '/~shows/keys/1.key?~g=[/keys/]', '/~shows/~~[/keys/]/keys/1.key'],
  ['/top.ts', '/~shows/top.ts?~g=[/top.ts]', '/~shows/~~[/top.ts]/top.ts'],
  ['http://origin.example/base/x/y.ts', '/~shows/x/y.ts?~g=[/x/]', '/~shows/~~[/x/]/x/y.ts'],
  ['https://shows.example.com/x/y.ts', '/~shows/x/y.ts?~g=[/x/]', '/~shows/~~[/x/]/x/y.ts'],
  ['https://elsewhere.example/x.ts', 'https://elsewhere.example/x.ts', 'https://elsewhere.example/x.ts'],
  ['data:text/plain;base64,AAAA', 'data:text/plain;base64,AAAA', 'data:text/plain;base64,AAAA'],
  ['skd://key-id', 'skd://key-id', 'skd://key-id'],
]

t.test('each kind of URI', async (t) => {
  for (const [uri, inQuery, inPath] of URIS) {
    t.equal(filled(`#EXTM3U\n${uri}\n`, 'query'), `#EXTM3U\n${inQuery}\n`, `${uri}, rewrite`)
    t.equal(filled(`#EXTM3U\n${uri}\n`, 'path'), `#EXTM3U\n${inPath}\n`, `${uri}, path`)
  }
})

t.test('each tag that holds a URI', async (t) => {
  const tags = [
    '#EXT-X-KEY:METHOD=AES-128,URI="@",IV=0x1',
    '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="@"',
    '#EXT-X-MAP:URI="@",BYTERANGE="10@0"',
    '#EXT-X-PART:DURATION=1,URI="@"',
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="@"',
    '#EXT-X-RENDITION-REPORT:URI="@",LAST-MSN=1',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="n",URI="@"',
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="@"',
    '#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,URI="@"',
    '#EXT-X-SESSION-DATA:DATA-ID="d",URI="@"',
    '#EXT-X-DATERANGE:ID="i",X-ASSET-URI="@"',
  ]
  for (const tag of tags) {
    const text = `#EXTM3U\r\n${tag.replace('@', 'f.x')}\r\n`
    t.equal(filled(text, 'query'), text.replace('f.x', 'f.x?~g=[/ep1/v0/]'), tag)
  }
})

t.test('what has no place for a grant', async (t) => {
  const text = '#EXTM3U\n#EXTINF:1,\nhttps://elsewhere.example/1.ts\n'
  t.equal(carriedTemplate(text, rules, { by: 'query', context })?.isFilledIn, false)
  t.equal(
    carriedTemplate('#EXTM3U\nseg.ts\n', rules, { by: 'path', context })?.isFilledIn,
    false,
    'the path has it',
  )
  const cookies = carriedTemplate('#EXTM3U\nseg.ts\n/k/1.key\n', rules, { by: 'cookie', context })
  t.equal(cookies?.isFilledIn, false)
  t.strictSame(cookies?.scopes, [{ directory: '/ep1/v0/' }, { directory: '/k/' }])
  t.equal(carriedTemplate('#EXTM3U\n\0\x01seg.ts\n', rules, { by: 'query', context }), null, 'no playlist')
})

t.test('one grant for each scope, however many URIs', async (t) => {
  const template = carriedTemplate('#EXTM3U\na.ts\nb.ts\n../c/d.ts\n', rules, { by: 'query', context })
  const asked: GrantScope[] = []
  template?.fill((scope) => `${asked.push(scope)}`)
  t.strictSame(asked, [{ directory: '/ep1/v0/' }, { directory: '/ep1/c/' }])
})

t.test('without its grants a filled-in playlist is the playlist', async () => {
  const line = fc.oneof(
    fc.stringMatching(/^[a-z0-9/._-]{1,20}\.ts(\?[a-z]=[0-9])?$/),
    fc.constantFrom('#EXTINF:4.0,', '#EXT-X-KEY:METHOD=NONE', '', '# comment', '#EXT-X-MAP:URI="init.mp4"'),
    fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[\0\n\r]|[^\x20-\xff]/g, '')),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const text = `#EXTM3U\n${lines.join('\n')}\n`
      const mark = 'GRANT'
      const template = carriedTemplate(text, rules, { by: 'query', context })
      const taken = template
        ?.fill(() => mark)
        .toString('latin1')
        .replaceAll(/[?&]~g=GRANT/g, '')
      const bare = carriedTemplate(text, rules, { by: 'cookie', context })
        ?.fill(() => mark)
        .toString('latin1')
      return taken === bare
    }),
  )
})
