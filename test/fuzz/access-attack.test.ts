// A viewer who may see one thing and wants another, or wants to know what there is: by other spellings of paths, by
// grants and tokens in the wrong places. Refused requests cost the origin nothing.
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import {
  CARRIES,
  MEDIA,
  carryingProperty,
  diskText,
  grantsOf,
  laxly,
  signed,
  startCarriers,
  startLaxOrigin,
} from '../kit/access-rig.ts'
import { urisOf } from '../kit/protected-stream.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const origin = await startLaxOrigin(t)
/** For all tests that need nothing of their own. */
const edge = await startCarriers(t, origin)

/** A target as it is, which no proper client would send. */
async function getRaw(
  scope: TestScope,
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
  origin.playlist = MEDIA
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
    origin.asked.filter(({ target }) => laxly(target).startsWith('/paid')),
    [],
    'nothing was asked for',
  )
})

t.test('what is free is free in every spelling, or not at all', async (t) => {
  for (const free of ['/free/x.ts', '/free/a;b/x.ts', '/posters/50%25%20off.jpg', '/free//caf%C3%A9.ts'])
    t.equal((await get(`${edge.url}/~rewrite${free}`)).status, 200, free)
  const from = origin.asked.length
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
  t.equal(origin.asked.length, from, 'and no refused request went to the origin')
})

t.test('a token for one path at the top opens that path and what it names, not the property', async (t) => {
  origin.playlist = `${MEDIA}/v0/a.ts\n/top.ts\n/\n//\n`
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
    origin.playlist = MEDIA
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
    origin.asked.filter(({ target, fields }) => (target + fields).includes(token)),
    [],
    'the origin has not seen it',
  )
})

t.test('a key of HLS never reaches the disk, however its path is spelled', async (t) => {
  origin.playlist = `${MEDIA}/keys/a.key\n/x/a.key\n`
  const edge = await startCarriers(t, origin)
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

function ruledProperty(rules: object[]): object {
  return carryingProperty('rules', {}, { rules, tokens: undefined, keys: undefined })
}

t.test('rules about paths hold for what the origin serves', async (t) => {
  const denying = {
    ...ruledProperty([{ deny: { paths: ['/paid/**', '*.mp4'] } }, { allow: {} }]),
    id: 'denying',
    hosts: [],
  }
  const allowing = { ...ruledProperty([{ allow: { paths: ['/show/**'] } }]), id: 'allowing', hosts: [] }
  const edge = await startEdge(t, { origin: origin.url, properties: [denying, allowing] })
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

/** All that a reply says but when. */
async function told(method: string, path: string, headers: Record<string, string>): Promise<string> {
  const reply = await get(`${edge.url}/~rewrite${path}`, { method, headers })
  const { date: _date, ...others } = reply.headers
  return JSON.stringify([reply.status, others, reply.text])
}

t.test('who has no token learns nothing, and costs the origin nothing', async (t) => {
  origin.playlist = MEDIA
  const known = ['/show/main.m3u8', '/show/seg.ts']
  for (const path of known) await get(`${edge.url}/~rewrite${signed(path)}`)
  const from = origin.asked.length
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
  t.equal(origin.asked.length, from)
})

t.test('targets of bytes that no client sends', async (t) => {
  origin.playlist = MEDIA
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
    origin.asked.filter(({ target }) => laxly(target).includes('/paid')),
    [],
  )
})
