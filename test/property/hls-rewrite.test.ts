// Rewriting on random playlists: only URIs change, what is rewritten once is not changed again, and what a player
// resolves stays inside the property.
import fc from 'fast-check'
import t from 'tap'
import { compileOwnUris } from '../../src/hls/own-uris.ts'
import { parsePlaylist } from '../../src/hls/parse.ts'
import type { ParsedPlaylist } from '../../src/hls/playlist.ts'
import { rewritePlaylist } from '../../src/hls/rewrite.ts'
import type { RewriteRules } from '../../src/hls/rewrite.ts'

const own = compileOwnUris(
  ['http://origin.example/base', 'https://second.example', 'http://[::1]:9000/a'],
  ['shows.example', '*.cdn.example'],
)

const rules: fc.Arbitrary<RewriteRules> = fc
  .constantFrom('', '/~shows')
  .map((prefix) => Object.assign({ prefix, propertyPrefix: '/~shows' }, own))

const root = fc.constantFrom(
  '',
  '/',
  '//',
  '/base/',
  '/base',
  '/~shows/',
  '/~other/',
  '../',
  'http://origin.example/base/',
  'http://origin.example/base//',
  'http://origin.example/base/base/',
  'HTTP://ORIGIN.example/',
  'https://second.example:443/~shows/',
  'https://second.example',
  'http://[::1]:9000/a/',
  'https://shows.example/',
  'https://x.cdn.example/base/',
  '//shows.example/',
  'https://else.example/',
  'data:,/',
  'skd://key/',
  '{$abs}/',
  '{$rel}/',
  '{$none}/',
)
const rest = fc
  .array(fc.constantFrom('a', '.ts', '/', '?x=1', '&', '#f', '%2F', ',', '=', '~', '{$rel}', '\xe9', ' b'), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''))
const uri = fc.tuple(root, rest).map((parts) => parts.join('').trim())

const line = fc.oneof(
  { weight: 4, arbitrary: uri },
  uri.map((text) => `#EXT-X-MAP:URI="${text}"`),
  uri.map((text) => `#EXT-X-PART:DURATION=1,URI="${text}",BYTERANGE="1@2"`),
  uri.map((text) => `#EXT-X-DATERANGE:X-A="/",X-ASSET-URI="${text}",X-ASSET-LIST="${text}"`),
  uri.map((text) => `#EXT-X-MEDIA:NAME="${text}",URI="${text}"`),
  uri.map((text) => `# ${text}`),
  uri.map((text) => `#EXTINF:1,${text}`),
  fc.constantFrom(
    '',
    '#EXT-X-DEFINE:NAME="abs",VALUE="http://origin.example/base/x"',
    '#EXT-X-DEFINE:NAME="rel",VALUE="y"',
    '#EXT-X-DEFINE:QUERYPARAM="none"',
    '#EXT-X-MAP:URI="unclosed',
    '#EXT-X-MAP:URI=/bare',
    '#EXT-X-MAP:,,URI="/a",URI="/b"',
    '#EXT-X-ENDLIST',
  ),
)
const playlist = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.constantFrom('\n', '\r\n', ' \n'))
  .map(([lines, end]) => `#EXTM3U${end}${lines.join(end)}`)

t.test('rewriting twice is rewriting once', async () => {
  fc.assert(
    fc.property(playlist, rules, (text, by) => {
      const once = rewritePlaylist(text, by)
      return rewritePlaylist(once, by) === once
    }),
    { numRuns: 5000 },
  )
})

t.test('a text of either way is not changed by the other way, beyond the prefix', async () => {
  const prefixed = { prefix: '/~shows', propertyPrefix: '/~shows', ...own }
  fc.assert(
    fc.property(playlist, (text) => {
      const once = rewritePlaylist(text, prefixed)
      return rewritePlaylist(once, { ...prefixed, prefix: '' }) === once
    }),
    { numRuns: 2000 },
  )
})

/** Everything but URIs: with each of them blanked, two states of a playlist are one text. */
function withoutUris(text: string): string {
  return text
    .replaceAll(/^[ \t]*[^#\s][^\r\n]*/gm, 'uri')
    .replaceAll(/((?:URI|X-ASSET-LIST)=)(?:"[^"\r\n]*"|[^,\r\n]*)/g, '$1uri')
}

t.test('only URIs change', async (t) => {
  let changed = 0
  fc.assert(
    fc.property(playlist, rules, (text, by) => {
      const result = rewritePlaylist(text, by)
      if (result !== text) changed++
      return withoutUris(result) === withoutUris(text)
    }),
    { numRuns: 5000 },
  )
  t.ok(changed > 1000, `${changed} of 5000 texts were changed at all`)
})

/** URIs in order, as the parser sees them. */
function urisOf(parsed: ParsedPlaylist): string[] {
  if (parsed.kind === 'refused') return []
  const references = parsed.references.map((reference) => reference.uri)
  if (parsed.kind === 'main') return references
  const segments = parsed.segments.flatMap((segment) => [
    ...segment.parts.map((part) => part.uri),
    segment.uri,
  ])
  return [...references, ...segments, ...parsed.trailingParts.map((part) => part.uri)]
}

t.test(
  'after rewriting, a player that came by the prefix leaves it only for what is not the property’s',
  async () => {
    const by = { prefix: '/~shows', propertyPrefix: '/~shows', ...own }
    fc.assert(
      fc.property(playlist, (text) => {
        const before = urisOf(parsePlaylist(Buffer.from(text, 'latin1')))
        const after = urisOf(parsePlaylist(Buffer.from(rewritePlaylist(text, by), 'latin1')))
        if (before.length !== after.length) return false
        return after.every((uri, i) => {
          if (/^\/(?!\/)/.test(uri)) return uri.startsWith('/~shows/')
          const absolute = uri.startsWith('//') ? `http:${uri}` : uri
          // Left as it is, because it leads elsewhere.
          return uri === before[i] && (!/^https?:\/\//i.test(absolute) || own.ownPath(absolute) === undefined)
        })
      }),
      { numRuns: 5000 },
    )
  },
)
