// What playlists, cookies and redirects carry on: to its own client, to the property it is for, and to nobody else.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { signTypeB } from '../../src/token/type-b.ts'
import {
  CARRIES,
  MEDIA,
  RIG_KEY,
  carryingProperty,
  cookieOf,
  diskText,
  grantsOf,
  signed,
  startCarriers,
  startLaxOrigin,
} from '../kit/access-rig.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { startEdge } from '../kit/edge.ts'
import { urisOf } from '../kit/protected-stream.ts'

const origin = await startLaxOrigin(t)
/** For all tests that need nothing of their own. */
const edge = await startCarriers(t, origin)

t.test('what one client was granted is in no other client’s reply', async (t) => {
  origin.playlist = `${MEDIA}#EXT-X-KEY:METHOD=AES-128,URI="/keys/a.key"\n${'#EXTINF:2,\nother.ts\n'.repeat(200)}`
  const edge = await startCarriers(t, origin)
  const seen = new Map<string, string>()
  const ask = async (name: string, headers: Record<string, string> = {}) => {
    const reply = await get(`${edge.url}/~rewrite${signed('/show/shared.m3u8')}&utm_source=${name}`, {
      headers,
    })
    t.equal(reply.status, 200, name)
    t.match(reply.headers['cache-control'], /^private/, 'no shared cache keeps it')
    t.equal(reply.headers.etag, undefined)
    t.equal(reply.headers['content-encoding'], undefined)
    const sessions = new Set(grantsOf(reply).map((grant) => grant.split('.')[2] ?? ''))
    t.equal(sessions.size, 1, 'one session a reply')
    for (const session of sessions) {
      t.equal(seen.get(session), undefined, 'and of nobody else')
      seen.set(session, name)
    }
  }
  const before = origin.asked.length
  await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`collapsed ${i}`.replace(' ', '-'))))
  t.equal(origin.asked.length, before + 1, 'asked for once')
  await ask('gzip', { 'accept-encoding': 'gzip' })
  await ask('br', { 'accept-encoding': 'br' })
  await ask('range', { range: 'bytes=0-100' })
  await ask('not-modified', { 'if-modified-since': 'Fri, 01 Jan 2027 00:00:00 GMT' })
  await ask('any-match', { 'if-none-match': '"x"' })
  await edge.restart()
  await ask('from-disk')
  for (const session of seen.keys()) t.notMatch(await diskText(edge), session)
  t.notMatch(await diskText(edge), /~g=/)
})

t.test('a grant goes to no other host', async (t) => {
  const names = ['evil.example', 'evil2.example']
  origin.playlist = `#EXTM3U
#EXT-X-DEFINE:NAME="evil",VALUE="https://evil.example"
#EXT-X-DEFINE:NAME="slashes",VALUE="//evil.example"
#EXT-X-DEFINE:NAME="root",VALUE="/show/other"
#EXT-X-DEFINE:NAME="up",VALUE="../up"
#EXT-X-TARGETDURATION:2
${[
  'http:/evil.example/1.ts',
  'HTTP:evil.example/2.ts',
  'https:/evil.example/3.ts',
  'http:///evil.example/4.ts',
  '//evil.example/5.ts',
  '\\\\evil.example\\6.ts',
  '/\\evil.example/7.ts',
  'https:\\\\evil.example/8.ts',
  'h\tttp:/evil.example/9.ts',
  'http://rewrite.example.com@evil.example/10.ts',
  'http://rewrite.example.com.evil2.example/11.ts',
  'http://rewrite.example.com\\@evil.example/12.ts',
  '{$evil}/13.ts',
  '{$slashes}/14.ts',
  'javascript:alert(1)//evil.example',
  'data:evil.example',
].join('\n')}
{$root}/good1.ts
{$up}/good2.ts
seg-{$IMPORTED}-good3.ts
`
  for (const carry of CARRIES)
    for (const host of [`${carry}.example.com`, 'unused.example'])
      for (const main of ['/show/v/main.m3u8', '/main.m3u8']) {
        const prefix = host === 'unused.example' ? `/~${carry}` : ''
        const url = `${edge.url}${prefix}${signed(main)}`
        const first = await get(url, { headers: { host } })
        const at = first.status === 302 ? new URL(String(first.headers.location), url).href : url
        const reply = first.status === 302 ? await get(at, { headers: { host } }) : first
        t.equal(reply.status, 200)
        const evil = urisOf(reply.text).filter(
          (uri) =>
            names.some((name) => uri.includes(name)) || uri.includes('{$evil}') || uri.includes('{$slashes}'),
        )
        t.equal(evil.length, 16)
        t.strictSame(
          evil.filter((uri) => grantsOf({ ...reply, text: uri, headers: {} }).length > 0),
          [],
        )
        const cookie = cookieOf(reply)
        const variables = new Map([
          ['root', '/show/other'],
          ['up', '../up'],
          ['IMPORTED', '7'],
        ])
        // At the top, where each path has its own grant, only the player knows which one it is.
        const known = main === '/main.m3u8' ? /good1/ : /good/
        for (const uri of urisOf(reply.text).filter((uri) => known.test(uri))) {
          const meant = uri.replaceAll(/\{\$(\w+)\}/g, (_, name: string) => variables.get(name) ?? '')
          const child = await get(new URL(meant, at).href, { headers: { host, cookie } })
          t.equal(child.status, 200, `${carry} ${host} ${main} ${uri} plays`)
        }
      }
})

t.test('cookies and CORS: for one place, and never for any page', async (t) => {
  origin.playlist = `${MEDIA}/k;Domain=evil.example;Path=/;x/1.ts\n/top.ts\n${Array.from({ length: 6000 }, (_, i) => `/d${i}/s.ts`).join('\n')}\n`
  const reply = await get(`${edge.url}/~cookie${signed('/show/main.m3u8')}`, {
    headers: { origin: 'https://tv.example.com' },
  })
  const lines = reply.headers['set-cookie'] ?? []
  t.ok(lines.length > 0 && lines.length <= 8, 'a bounded number')
  for (const line of lines)
    t.match(
      line,
      /^edgeward-cookie~[\w-]{6}=[0-9a-z]+\.(?:x|[1-9])\.[\w.-]+; Path=\/~cookie\/[^;]*; Max-Age=\d+; HttpOnly; Secure; SameSite=None$/,
    )
  t.match(lines[0], /Path=\/~cookie\/show\/;/, 'its own directory first')
  t.match(reply.headers, {
    'access-control-allow-origin': 'https://tv.example.com',
    'access-control-allow-credentials': 'true',
  })
  const cookie = lines.map((line) => line.split(';', 1)[0]).join('; ')
  const segment = await get(`${edge.url}/~cookie/show/seg.ts`, { headers: { cookie } })
  t.equal(segment.status, 200)
  t.match(segment.headers['cache-control'], /private/, 'the URL alone does not tell who may have it')
  const bare = await get(`${edge.url}/~rewrite${signed('/show/seg.ts')}`)
  t.notMatch(bare.headers['cache-control'], /private/, 'where it does, shared caches may help')
  for (const origin of [
    'null',
    'https://evil.example',
    'https://tv.example.com.evil.example',
    'http://tv.example.com',
    '*',
    'https://tv.example.com,https://evil.example',
  ])
    for (const headers of [{ origin }, { origin, cookie }]) {
      const other = await get(`${edge.url}/~cookie/show/seg.ts`, { headers })
      t.equal(other.headers['access-control-allow-origin'], undefined, origin)
      t.equal(other.headers['access-control-allow-credentials'], undefined)
    }
})

t.test(
  'an origin hears of no token that a player names in Referer, nor in what it passes through',
  async (t) => {
    origin.playlist = MEDIA
    const edge = await startEdge(t, {
      origin: origin.url,
      properties: [
        carryingProperty('rewrite', { forward: 'all', methods: ['GET', 'HEAD', 'OPTIONS', 'POST'] }),
        {
          ...carryingProperty('path', { forward: 'all' }),
          access: { tokens: { scheme: 'type-b', keys: [RIG_KEY], carry: 'path' } },
        },
      ],
    })
    const [grant = ''] = grantsOf(await get(`${edge.url}/~rewrite${signed('/show/main.m3u8')}`))
    const inPath = signTypeB({ keys: [RIG_KEY] }, '/show/main.m3u8', { nowMs: systemClock.now() })
    const from = origin.asked.length
    for (const referer of [
      `${edge.url}/~~${grant}/show/main.m3u8`,
      `${edge.url}/show/main.m3u8?~g=${grant}`,
      `${edge.url}${inPath}`,
      `//x/~~${grant}/`,
      `/~~${grant}/`,
    ]) {
      for (const method of ['GET', 'POST'])
        await get(`${edge.url}/~rewrite/show/${origin.asked.length}.ts?%7Eg=${grant}`, {
          method,
          headers: { referer, 'content-length': '0' },
        })
    }
    t.equal(origin.asked.length, from + 10)
    const told = origin.asked
      .slice(from)
      .map(({ target, fields }) => target + fields)
      .join('\n')
    t.match(told, new RegExp(`Referer","${edge.url}"`, 'i'), 'where it comes from is told')
    for (const secret of [grant, grant.slice(-22), inPath.split('/')[2] ?? ''])
      t.notOk(told.toLowerCase().includes(secret.toLowerCase()), secret)
  },
)

const PAGE = 'https://www.example.com/watch?v=1'

function ask(url: string, headers: Record<string, string>): Promise<Reply> {
  return get(url, { headers: { host: 'shows.example.com', ...headers } })
}

t.test(
  'through the scheduler: lists of pages still hold behind the redirect, and it leads nowhere else',
  async (t) => {
    origin.playlist = `${MEDIA}#EXTINF:2,\n../up.ts\n`
    const tokens = { scheme: 'type-a', keys: [RIG_KEY], carry: 'path' }
    const access = {
      tokens,
      referer: { allow: ['www.example.com'], empty: 'deny' },
      origin: { allow: ['https://www.example.com', 'null'], empty: 'allow' },
    }
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { here: { edges: ['here-1'] } },
      property: { access, cors: { origins: ['https://www.example.com'] } },
    })
    const edge = cluster.edge('here-1')
    const page = { referer: PAGE, origin: 'https://www.example.com' }
    const first = await ask(cluster.steering + signed('/show/v/main.m3u8'), page)
    t.match(first, { status: 302, headers: { 'access-control-allow-origin': 'https://www.example.com' } })
    const at = first.headers.location ?? ''
    t.match(at, new RegExp(`^${edge.url}/~shows/~~[^/]+/show/v/main\\.m3u8$`), 'below its grant at once')
    // What a browser says once a redirect has led from one origin to another.
    const tainted = { referer: PAGE, origin: 'null' }
    const main = await ask(at, tainted)
    t.match(main, { status: 200, headers: { 'access-control-allow-origin': 'null' } })
    t.equal(main.headers['access-control-allow-credentials'], undefined)
    for (const uri of urisOf(main.text)) {
      const target = new URL(uri, at).href
      t.equal((await ask(target, { ...page, range: 'bytes=0-3' })).status, 206, uri)
      t.match(await ask(target, { ...page, referer: 'https://evil.example/' }), {
        status: 403,
        text: /referer_not/,
      })
      t.match(await ask(target, { origin: page.origin }), { status: 403, text: /referer_empty/ })
    }
    for (const url of [cluster.steering + signed('/show/v/main.m3u8'), at])
      t.match(await ask(url, { ...page, origin: 'https://evil.example' }), {
        status: 403,
        text: /origin_not/,
      })

    for (const target of [
      '//evil.example/main.m3u8',
      '///evil.example/main.m3u8',
      '/%5cevil.example/main.m3u8',
      '/%2f%2fevil.example/main.m3u8',
      '/~shows//evil.example/main.m3u8',
      '/@evil.example/main.m3u8',
      '/.evil.example/main.m3u8',
      '/x%0d%0aLocation:%20https:%2f%2fevil.example/main.m3u8',
      '/show/main.m3u8?u=%0d%0ahttps://evil.example',
      '/show/main.m3u8?~not=@evil.example',
      '/show/main.m3u8?~not=here-1',
    ]) {
      const inside = target.replace('/~shows', '')
      const url = cluster.steering + (inside === target ? '' : '/~shows') + signed(inside)
      const reply = await ask(url, page)
      if (reply.status === 302)
        t.ok(
          reply.headers.location?.startsWith(`${edge.url}/~shows/`),
          `${target} → ${reply.headers.location}`,
        )
      else t.ok([400, 403, 503].includes(reply.status), `${target}: ${reply.status}`)
      t.equal(
        reply.rawHeaders.filter((name) => name.toLowerCase() === 'location').length,
        reply.status === 302 ? 1 : 0,
      )
      const direct = await ask(edge.url + signed(inside), page)
      if (direct.status === 302) t.match(direct.headers.location, /^\/~~[^/]/, `${target} at the edge`)
    }
    t.equal(
      (await ask(`${cluster.steering}${signed('/show/v/main.m3u8')}&~not=here-1`, page)).status,
      302,
      'the only edge is still one',
    )
  },
)

t.test('live playlists, delta updates and blocking reloads go on with their grants', async (t) => {
  origin.playlist = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12,CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1
#EXT-X-PART-INF:PART-TARGET=0.3
#EXT-X-MEDIA-SEQUENCE:1
#EXTINF:2,
seg.ts
#EXT-X-PART:DURATION=0.3,URI="part.ts"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="next.ts"
`
  for (const carry of CARRIES) {
    const url = `${edge.url}/~${carry}${signed('/live/ch/media.m3u8')}`
    const first = await get(url)
    const at = first.status === 302 ? new URL(first.headers.location ?? '', url).href : url
    const begun = first.status === 302 ? await get(at) : first
    const [grant = ''] = [...grantsOf(first), ...grantsOf(begun)]
    const cookie = cookieOf(begun)
    // As a player goes on when its token has ended: by what it was granted.
    const bare =
      carry === 'path'
        ? at
        : `${edge.url}/~${carry}/live/ch/media.m3u8${carry === 'rewrite' ? `?~g=${grant}` : ''}`
    for (const directives of [
      '_HLS_msn=1',
      '_HLS_msn=1&_HLS_part=0',
      '_HLS_skip=YES',
      '_HLS_msn=2&_HLS_skip=v2',
    ]) {
      const reply = await get(`${bare}${bare.includes('?') ? '&' : '?'}${directives}`, {
        headers: { cookie },
      })
      t.equal(reply.status, 200, `${carry} ${directives}`)
      const uris = urisOf(reply.text)
      t.equal(uris.length, 3)
      for (const uri of uris) {
        t.equal((await get(new URL(uri, bare).href, { headers: { cookie } })).status, 200, `${uri} plays`)
        // A player knows a part by the URI that announced it.
        if (carry === 'rewrite') t.match(uri, `~g=${grant}`, 'the same grant in each reload')
      }
      const last = origin.asked.findLast(({ target }) => target.startsWith('/live/ch/media.m3u8'))
      t.equal(last?.target, `/live/ch/media.m3u8?${directives}`, 'the origin is asked what the player asked')
    }
  }
})
