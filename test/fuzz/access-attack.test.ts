// A viewer who may see one thing and wants another, who wants what others were granted, or wants to know what there is.
// The origin reads paths as laxly as any does: what it gives away here, some origin would.
import { createServer } from 'node:http'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { listen } from '../../src/net/listen.ts'
import { signTypeA } from '../../src/token/type-a.ts'
import { signTypeB } from '../../src/token/type-b.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { urisOf } from '../kit/protected-stream.ts'
import { openRaw } from '../kit/raw-client.ts'
import { until } from '../kit/until.ts'

const KEY = 'key-of-the-access-attack'
const CARRIES = ['rewrite', 'path', 'cookie'] as const

interface Asked {
  readonly target: string
  readonly fields: string
}

const asked: Asked[] = []
let playlist = ''
const server = createServer((request, response) => {
  const target = request.url ?? ''
  asked.push({ target, fields: JSON.stringify(request.rawHeaders) })
  const read = laxly(target)
  const isPlaylist = /\.m3u8$/i.test(read)
  // Tests ask for other playlists by the same names.
  response.setHeader('Cache-Control', isPlaylist && !read.includes('shared') ? 'no-cache' : 'max-age=600')
  if (!isPlaylist) return response.end(`CONTENT OF ${read}`)
  response.setHeader('Content-Type', 'application/vnd.apple.mpegurl')
  response.setHeader('Last-Modified', 'Thu, 01 Jan 2026 00:00:00 GMT')
  return response.end(playlist)
})
const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
t.teardown(() => {
  server.close()
  server.closeAllConnections()
})
const origin = `http://127.0.0.1:${port}`

/** Decodes twice, takes `\` for `/`, ends a segment at `;` and a path at a NUL, merges slashes, then follows dots. */
function laxly(target: string): string {
  let text = (target.split('?', 1)[0] ?? '').replaceAll(/%C0%AE/gi, '.')
  for (let round = 0; round < 2; round++)
    text = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  const kept: string[] = []
  for (const part of (text.split('\0', 1)[0] ?? '').replaceAll('\\', '/').split('/')) {
    const [segment = ''] = part.split(';', 1)
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment.replace(/[ .]+$/, ''))
  }
  return `/${kept.join('/')}`
}

function propertyOf(carry: string, more: object = {}, access: object = {}): object {
  const tokens = { scheme: 'type-a', keys: [KEY], carry, except: ['/free/**', '*.jpg'] }
  const cors = carry === 'cookie' ? { cors: { origins: ['https://tv.example.com'] } } : {}
  const hosts = [`${carry}.example.com`]
  const rules = { tokens, keys: { match: ['*.key', '/keys/**'] }, ...access }
  return { id: carry, hosts, origins: [{ id: 'studio' }], access: rules, ...cors, ...more }
}

function startAll(scope: typeof t): Promise<TestEdge> {
  return startEdge(scope, { origin, properties: CARRIES.map((carry) => propertyOf(carry)) })
}

function signed(target: string): string {
  return signTypeA({ keys: [KEY] }, target, { nowMs: systemClock.now() })
}

/** For all tests that need nothing of their own. */
const edge = await startAll(t)

const MEDIA = `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXTINF:2,
seg.ts
#EXT-X-ENDLIST
`

/** What a reply grants, by any way that it may carry it. */
function grantsOf(reply: Reply): string[] {
  const all = `${reply.text}\n${String(reply.headers.location)}\n${String(reply.headers['set-cookie'])}`
  return [...all.matchAll(/\b[0-9a-z]{6}\.(?:x|[0-9]+)\.[\w-]{11}(?:\.a)?\.[\w-]{22}/g)].map(([text]) => text)
}

/** A target as it is, which no proper client would send. */
async function getRaw(
  scope: typeof t,
  edge: TestEdge,
  head: string,
): Promise<{ status: number; text: string }> {
  const client = await openRaw(scope, edge.url)
  client.send(`${head}\r\nConnection: close\r\n\r\n`)
  const text = (await client.readAll()).toString('latin1')
  return { status: Number(text.slice(9, 12)), text }
}

/** Below /show/ for the edge; in /paid/ for one origin or another. */
const CLIMBS = [
  '/show/../paid/x.ts',
  '/show/%2e%2e/paid/x.ts',
  '/show/..%2fpaid/x.ts',
  '/show/..%2Fpaid%2Fx.ts',
  '/show/%2e%2e%2fpaid/x.ts',
  '/show/..%5cpaid/x.ts',
  '/show/v0/..%2f..%2fpaid/x.ts',
  '/show/..;/paid/x.ts',
  '/show/..;a=b/paid/x.ts',
  '/show/..%3b/paid/x.ts',
  '/show/..%252fpaid/x.ts',
  '/show/%252e%252e%252fpaid/x.ts',
  '/show/%c0%ae%c0%ae/paid/x.ts',
  '/show/%C0%AE%c0%ae%2fpaid/x.ts',
  '/show//..%2f../paid/x.ts',
  '/show/.;/..%2fpaid/x.ts',
]

t.test('a grant does not lead out of its directory in any spelling', async (t) => {
  playlist = MEDIA
  for (const carry of CARRIES) {
    const [grant = ''] = grantsOf(await get(`${edge.url}/~${carry}${signed('/show/main.m3u8')}`))
    t.match(grant, /\.1\./, `${carry}: for one directory`)
    const own = await get(`${edge.url}/~${carry}/show/a//b;c/seg%20.ts?~g=${grant}`)
    t.equal(own.status, 200, 'what is odd and stays below plays')
    for (const climb of CLIMBS) {
      const cookie = `edgeward-${carry}~abcdef=${grant}`
      for (const [by, target, headers] of [
        ['query', `${climb}?~g=${grant}`, {}],
        ['path', `/~~${grant}${climb}`, {}],
        ['cookie', climb, { cookie }],
      ] as const) {
        // oxlint-disable-next-line no-await-in-loop -- in their order, so that a failure names one
        const reply = await get(`${edge.url}/~${carry}${target}`, { headers })
        t.match(reply, { status: 403, text: /^denied: token_/ }, `${climb} by ${by}`)
      }
    }
  }
  t.strictSame(
    asked.filter(({ target }) => laxly(target).startsWith('/paid')),
    [],
    'nothing was asked for',
  )
})

t.test('what is free is free in every spelling, or not at all', async (t) => {
  for (const free of ['/free/x.ts', '/free/a;b/x.ts', '/posters/50%25%20off.jpg', '/free//caf%C3%A9.ts'])
    t.equal((await get(`${edge.url}/~rewrite${free}`)).status, 200, free)
  const from = asked.length
  for (const odd of [
    ...CLIMBS.map((climb) => climb.replace('/show/', '/free/')),
    '/paid/x.ts;.jpg',
    '/paid/x.ts%3b.jpg',
    '/paid/x.ts%253B.jpg',
    '/paid/x.ts%00.jpg',
    '/paid/x.ts%2500.jpg',
    '/paid/x.ts;/a.jpg/..;/',
    '/Free/x.ts',
    '/free',
    '/free%2fx.ts',
    '/free;/x.ts',
    '//paid/x.ts',
    '/free/show.key',
    '/free/show.key;.jpg',
    '/free/SHOW.KEY',
    '/free/show%2ekey',
    '/keys;/x.jpg',
    '//keys/x.jpg',
    '/free/..%2fkeys/x.jpg',
  ]) {
    const reply = await get(`${edge.url}/~rewrite${odd}`)
    t.match(reply, { status: 403, text: /^denied: token_/ }, odd)
  }
  t.equal(asked.length, from, 'and no refused request went to the origin')
})

t.test('a token for one path at the top opens that path and what it names, not the property', async (t) => {
  playlist = `${MEDIA}/v0/a.ts\n/top.ts\n/\n//\n`
  for (const carry of CARRIES) {
    for (const main of ['/main.m3u8', '/show/main.m3u8']) {
      const url = `${edge.url}/~${carry}${signed(main)}`
      const first = await get(url)
      const reply =
        first.status === 302 ? await get(new URL(String(first.headers.location), url).href) : first
      t.equal(reply.status, 200, `${carry} ${main}`)
      const grants = [...grantsOf(first), ...grantsOf(reply)]
      t.ok(grants.length > 1)
      t.strictSame(
        grants.filter((grant) => grant.includes('.0.')),
        [],
        'none for all',
      )
      for (const grant of new Set(grants))
        for (const other of ['/paid/x.ts', '/paid.ts', '//paid/x.ts'])
          t.equal((await get(`${edge.url}/~${carry}${other}?~g=${grant}`)).status, 403, `${grant} ${other}`)
      // The player's way: what the playlist names, below whatever it was sent to, with the cookies that it was given.
      const at = first.status === 302 ? new URL(String(first.headers.location), url).href : url
      const cookies = (reply.headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0] ?? '')
      const uris = urisOf(reply.text).filter((uri) => uri.includes('.ts'))
      t.equal(uris.length, 3)
      for (const uri of uris) {
        const child = await get(new URL(uri, at).href, { headers: { cookie: cookies.join('; ') } })
        t.equal(child.status, 200, `${carry}: ${uri} plays`)
      }
    }
  }
})

t.test(
  'a grant of one property is none of another, with the same key, by whatever name it is asked',
  async (t) => {
    playlist = MEDIA
    const [grant = ''] = grantsOf(await get(`${edge.url}/~rewrite${signed('/show/main.m3u8')}`))
    for (const [target, host] of [
      [`/~cookie/show/seg.ts?~g=${grant}`, 'rewrite.example.com'],
      [`/~cookie/~~${grant}/show/seg.ts`, 'rewrite.example.com'],
      [`/show/seg.ts?~g=${grant}`, 'cookie.example.com'],
      [`/~~${grant}/show/seg.ts`, 'cookie.example.com'],
      [`/~rewrite/~cookie/show/seg.ts?~g=${grant}`, 'cookie.example.com'],
      [`/~~${grant}/~cookie/show/seg.ts`, 'rewrite.example.com'],
      [`/%7Ecookie/show/seg.ts?~g=${grant}`, 'rewrite.example.com'],
      [`/./~cookie/show/seg.ts?~g=${grant}`, 'rewrite.example.com'],
      [`/~~x/~~${grant}/show/seg.ts`, 'rewrite.example.com'],
      [`/~~${grant}/~~${grant}/show/seg.ts`, 'rewrite.example.com'],
      [`/show/seg.ts?~g=x&~g=${grant}`, 'rewrite.example.com'],
      [`/show/seg.ts?~G=${grant}`, 'rewrite.example.com'],
      [`/show/seg.ts?a=~g=${grant}`, 'rewrite.example.com'],
      [`/SHOW/seg.ts?~g=${grant}`, 'rewrite.example.com'],
    ] as const)
      t.equal((await get(edge.url + target, { headers: { host } })).status, 403, `${host} ${target}`)
    for (const target of [
      `/show/seg.ts?~g=${grant}`,
      `/~~${grant}/show/seg.ts`,
      `/show/seg.ts?%7Eg=${grant}`,
    ])
      t.equal(
        (await get(edge.url + target, { headers: { host: 'rewrite.example.com' } })).status,
        200,
        target,
      )
  },
)

t.test('a parameter that comes twice, or in another case, is no second chance', async (t) => {
  const good = signed('/a/x.ts')
  const token = good.slice(good.indexOf('=') + 1)
  const at = `${edge.url}/~rewrite/a/x.ts`
  t.equal((await get(`${at}?auth_key=${token}`)).status, 200)
  t.equal((await get(`${at}?auth%5Fkey=${token}`)).status, 200, 'the same name')
  for (const query of [
    `auth_key=${token}&auth_key=${token}`,
    `auth_key=x&auth%5Fkey=${token}`,
    `AUTH_KEY=${token}`,
    `auth_key=${token};`,
    `auth_key=${token}%00`,
    `;auth_key=${token}`,
    `auth_key%00=${token}`,
  ])
    t.equal((await get(`${at}?${query}`)).status, 403, query)
  t.strictSame(
    asked.filter(({ target, fields }) => (target + fields).includes(token)),
    [],
    'the origin has not seen it',
  )
})

t.test('a key of HLS never reaches the disk, however its path is spelled', async (t) => {
  playlist = `${MEDIA}/keys/a.key\n/x/a.key\n`
  const edge = await startAll(t)
  const main = await get(`${edge.url}/~rewrite${signed('/show/main.m3u8')}`)
  const granted = urisOf(main.text).filter((uri) => uri.includes('.key'))
  const spelled = granted.flatMap((uri) => {
    const [target = '', query] = uri.split('?')
    return [
      target,
      `${target};x`,
      `${target};x.ts`,
      `${target}.`,
      `${target}%20`,
      `${target}%00.ts`,
      `${target}%2f`,
      target.replace('a.key', 'A.KEY'),
      target.replace('a.key', 'a%2ekey'),
      target.replace('/a.key', '//a.key'),
      target.replace('/a.key', '/%2fa.key'),
    ].map((one) => `${one}?${query}`)
  })
  for (const uri of spelled) {
    // Twice: what is asked for again is what is worth a place on disk.
    for (const _ of [1, 2]) t.match(await get(edge.url + uri), { status: 200, text: /key/i }, uri)
  }
  for (const _ of [1, 2]) await get(`${edge.url}/~rewrite${signed('/show/plain.ts')}`)
  await until('a segment is on disk', async () =>
    (await diskText(edge)).includes('CONTENT OF /show/plain.ts'),
  )
  t.notMatch(await diskText(edge), /CONTENT OF \/[^\n]*key/i)
})

async function diskText({ directory }: TestEdge): Promise<string> {
  const names = await readdir(path.join(directory, 'cache'), { recursive: true, withFileTypes: true })
  const files = names.filter((name) => name.isFile()).map((name) => path.join(name.parentPath, name.name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}

t.test('rules about paths hold for what the origin serves', async (t) => {
  const rulesOf = (rules: object[]) => propertyOf('rules', {}, { rules, tokens: undefined, keys: undefined })
  const denying = {
    ...rulesOf([{ deny: { paths: ['/paid/**', '*.mp4'] } }, { allow: {} }]),
    id: 'denying',
    hosts: [],
  }
  const allowing = { ...rulesOf([{ allow: { paths: ['/show/**'] } }]), id: 'allowing', hosts: [] }
  const edge = await startEdge(t, { origin, properties: [denying, allowing] })
  for (const path of ['/show/x.ts', '/show/a;b.ts', '/show/100%25.ts'])
    for (const id of ['denying', 'allowing'])
      t.equal((await get(`${edge.url}/~${id}${path}`)).status, 200, `${id} ${path}`)
  for (const climb of CLIMBS)
    for (const id of ['denying', 'allowing'])
      t.equal((await get(`${edge.url}/~${id}${climb}`)).status, 403, `${id} ${climb}`)
  for (const path of [
    '//paid/x.ts',
    '/paid;x/x.ts',
    '/paid%2fx.ts',
    '/paid./x.ts',
    '/a.mp4;x',
    '/a.mp4%00',
    '/a.mp4.',
  ])
    t.equal((await get(`${edge.url}/~denying${path}`)).status, 403, path)
})

t.test('who has no token learns nothing, and costs the origin nothing', async (t) => {
  playlist = MEDIA
  const known = ['/show/main.m3u8', '/show/seg.ts']
  for (const path of known) await get(`${edge.url}/~rewrite${signed(path)}`)
  const from = asked.length
  const told = async (method: string, path: string, headers: Record<string, string>) => {
    const reply = await get(`${edge.url}/~rewrite${path}`, { method, headers })
    const { date: _date, ...others } = reply.headers
    return JSON.stringify([reply.status, others, reply.text])
  }
  for (const headers of [
    {},
    { range: 'bytes=0-0' },
    { range: 'bytes=999999-' },
    { 'if-none-match': '*' },
    { 'if-none-match': '"x"' },
    { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
    { 'if-range': '"x"', range: 'bytes=0-1' },
    { 'cache-control': 'only-if-cached' },
    { origin: 'https://tv.example.com', 'access-control-request-method': 'GET' },
  ])
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PURGE'])
      for (const path of known) {
        const unknown = path.replace('/show/', '/none/')
        const reply = await told(method, path, headers)
        t.equal(reply, await told(method, unknown, headers), `${method} ${JSON.stringify(headers)}`)
        t.match(reply, method === 'OPTIONS' ? /^\[204/ : /^\[40[35]/)
      }
  t.equal(asked.length, from)
})

t.test('what one client was granted is in no other client’s reply', async (t) => {
  playlist = `${MEDIA}#EXT-X-KEY:METHOD=AES-128,URI="/keys/a.key"\n${'#EXTINF:2,\nother.ts\n'.repeat(200)}`
  const edge = await startAll(t)
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
  const before = asked.length
  await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`collapsed ${i}`.replace(' ', '-'))))
  t.equal(asked.length, before + 1, 'asked for once')
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
  playlist = `#EXTM3U
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
        const cookie = (reply.headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0]).join('; ')
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
  playlist = `${MEDIA}/k;Domain=evil.example;Path=/;x/1.ts\n/top.ts\n${Array.from({ length: 6000 }, (_, i) => `/d${i}/s.ts`).join('\n')}\n`
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
    playlist = MEDIA
    const edge = await startEdge(t, {
      origin,
      properties: [
        propertyOf('rewrite', { forward: 'all', methods: ['GET', 'HEAD', 'OPTIONS', 'POST'] }),
        {
          ...propertyOf('path', { forward: 'all' }),
          access: { tokens: { scheme: 'type-b', keys: [KEY], carry: 'path' } },
        },
      ],
    })
    const [grant = ''] = grantsOf(await get(`${edge.url}/~rewrite${signed('/show/main.m3u8')}`))
    const inPath = signTypeB({ keys: [KEY] }, '/show/main.m3u8', { nowMs: systemClock.now() })
    const from = asked.length
    for (const referer of [
      `${edge.url}/~~${grant}/show/main.m3u8`,
      `${edge.url}/show/main.m3u8?~g=${grant}`,
      `${edge.url}${inPath}`,
      `//x/~~${grant}/`,
      `/~~${grant}/`,
    ]) {
      for (const method of ['GET', 'POST'])
        await get(`${edge.url}/~rewrite/show/${asked.length}.ts?%7Eg=${grant}`, {
          method,
          headers: { referer, 'content-length': '0' },
        })
    }
    t.equal(asked.length, from + 10)
    const told = asked
      .slice(from)
      .map(({ target, fields }) => target + fields)
      .join('\n')
    t.match(told, new RegExp(`Referer","${edge.url}"`, 'i'), 'where it comes from is told')
    for (const secret of [grant, grant.slice(-22), inPath.split('/')[2] ?? ''])
      t.notOk(told.toLowerCase().includes(secret.toLowerCase()), secret)
  },
)

t.test('targets of bytes that no client sends', async (t) => {
  playlist = MEDIA
  const [grant = ''] = grantsOf(await get(`${edge.url}/~rewrite${signed('/show/main.m3u8')}`))
  for (const target of [
    `/~rewrite/show/\\..\\paid/x.ts?~g=${grant}`,
    `/~rewrite/show/seg.ts#/../../paid/x.ts?~g=${grant}`,
    `/~rewrite/paid/x.ts#?~g=${grant}`,
    `/~rewrite/show/seg.ts?#~g=${grant}`,
    `/~rewrite/show/%zz?~g=${grant}`,
    `/~rewrite/show/\u0000?~g=${grant}`,
    `/~rewrite/show/\u00c0\u00ae\u00c0\u00ae/paid/x.ts?~g=${grant}`,
    `http://rewrite.example.com/~rewrite/paid/x.ts?~g=${grant}`,
    `//rewrite.example.com/paid/x.ts?~g=${grant}`,
    `/~~${grant}`,
    `/~~${grant}?a=/paid/x.ts`,
    `/~rewrite/~~${grant}?a=/paid/x.ts`,
    `/~rewrite?/show/x.ts&~g=${grant}`,
  ]) {
    const reply = await getRaw(t, edge, `GET ${target} HTTP/1.1\r\nHost: rewrite.example.com`)
    t.ok(reply.status === 403 || reply.status === 400 || reply.status === 404, `${reply.status} ${target}`)
  }
  t.strictSame(
    asked.filter(({ target }) => laxly(target).includes('/paid')),
    [],
  )
})
