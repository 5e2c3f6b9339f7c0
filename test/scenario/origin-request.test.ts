// What an origin is asked with: the Host, path prefix and fields that its configuration has, whatever the client sent; and
// stores that answer only what is signed.
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { STORE_KEY, STORE_REGION, startS3Store } from '../kit/s3-store.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

t.test('Host, path prefix and fields', async (t) => {
  const origin = await startOrigin(t, {
    '/vod/films/a.mp4': { body: 'film' },
    '/films/a.mp4': { body: 'plain' },
  })
  const headers = { 'X-Origin-Key': 'of the origin', Authorization: 'Basic b3JpZ2lu', Accept: 'video/*' }
  const edge = await startEdge(t, {
    origin: '',
    config: {
      origins: [
        { id: 'plain', url: origin.url },
        { id: 'dressed', url: `${origin.url}/vod/`, host: 'films.example.com:8080', headers },
      ],
    },
    properties: ['plain', 'dressed'].map((id) => ({ id, hosts: [id], forward: 'all', origins: [{ id }] })),
  })
  const sent = { 'X-Origin-Key': 'of a client', Authorization: 'Basic Y2xpZW50', 'X-Other': 'kept' }
  for (const id of ['plain', 'dressed']) {
    const { status } = await get(`${edge.url}/films/a.mp4?a=1`, { headers: { ...sent, Host: id } })
    t.equal(status, 200)
  }
  const [plain] = origin.requests('/films/a.mp4')
  t.match(plain, { target: '/films/a.mp4?a=1', headers: { host: new URL(origin.url).host } })
  t.match(plain?.headers, { 'x-origin-key': 'of a client', authorization: 'Basic Y2xpZW50' })
  const [dressed] = origin.requests('/vod/films/a.mp4')
  t.match(dressed, { target: '/vod/films/a.mp4?a=1', headers: { host: 'films.example.com:8080' } })
  t.match(dressed?.headers, {
    'x-origin-key': 'of the origin',
    authorization: 'Basic b3JpZ2lu',
    accept: 'video/*',
    'x-other': 'kept',
  })
})

t.test('a store that wants requests signed', async (t) => {
  const film = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join('')
  const store = await startS3Store(t, { '/films/电影 (1)+2.mp4': film, '/films/a': 'short' })
  const sign = {
    scheme: 'sigv4',
    region: STORE_REGION,
    accessKey: STORE_KEY.accessKeyId,
    secretKey: '${STORE_SECRET}',
  }
  const edge = await startEdge(t, {
    origin: '',
    slice: '64KiB',
    env: { STORE_SECRET: STORE_KEY.secretAccessKey, WRONG_SECRET: 'another key' },
    config: {
      origins: [
        { id: 'signed', url: `${store.url}/films`, sign },
        { id: 'by-name', url: `${store.url}/films`, host: 'films.s3.example.com', sign },
        { id: 'unsigned', url: `${store.url}/films` },
        { id: 'wrong-key', url: `${store.url}/films`, sign: { ...sign, secretKey: '${WRONG_SECRET}' } },
      ],
    },
    properties: ['signed', 'by-name', 'unsigned', 'wrong-key'].map((id) => ({
      id,
      hosts: [id],
      forward: 'all',
      origins: [{ id }],
    })),
  })
  const ask = (id: string, path: string, more: Record<string, string> = {}, method = 'GET') =>
    get(edge.url + path, { method, headers: { Host: id, ...more } })

  const path = '/%E7%94%B5%E5%BD%B1%20(1)+2.mp4'
  t.match(await ask('signed', path, {}, 'HEAD'), {
    status: 200,
    headers: { 'content-length': String(film.length) },
  })
  const part = await ask('signed', path, { Range: 'bytes=200000-200009' })
  t.match(part, { status: 206, text: film.slice(200_000, 200_010) })
  const whole = await ask('signed', path)
  t.ok(whole.status === 200 && whole.text === film, 'slices by ranges')
  t.equal((await ask('signed', '/a?b=c&a=d+e')).text, 'short', 'with a query')
  const client = { Authorization: 'Bearer x', 'X-Amz-Acl': 'public-read', 'X-Amz-Date': '20200101T000000Z' }
  t.equal((await ask('signed', '/a?client', client)).text, 'short', 'a client cannot meddle')
  t.match(await ask('signed', '/%ff'), { status: 400 })

  t.equal((await ask('by-name', '/a')).text, 'short')
  t.equal(store.seen.at(-1)?.host, 'films.s3.example.com')
  t.equal((await ask('unsigned', '/a')).status, 403)
  const wrong = await ask('wrong-key', '/a')
  t.match(wrong, { status: 403, text: /SignatureDoesNotMatch/ })
  for (const secret of [STORE_KEY.secretAccessKey, 'another key'])
    t.notMatch(edge.process.stderr(), secret, 'no key is in the log')
})
