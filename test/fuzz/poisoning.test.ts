// A viewer who tries to choose what others are served: by fields that are no part of the key, by paths that edge and
// origin might read differently, by methods and bodies. What the origin sees is the key; all else never reaches it.
import { createServer } from 'node:http'
import t from 'tap'
import { keyOf } from '../../edge/property/cache-key.ts'
import { listen } from '../../src/net/listen.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'

interface Echo {
  url: string
  /** Everything it was asked, as text. */
  readonly seen: string[]
}

/** The worst origin for a cache: it answers with all that it was sent, for everyone and for long. */
async function startEcho(t: TestScope, cacheControl: string | null = 'max-age=600'): Promise<Echo> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('latin1')
      const text = `${request.method} ${request.url}\n${JSON.stringify(request.rawHeaders)}\n${body}`
      seen.push(text)
      if (cacheControl !== null) response.setHeader('Cache-Control', cacheControl)
      response.setHeader('X-Asked', request.url ?? '')
      response.setHeader('X-Reflected', /evil[\w.]*/.exec(text)?.[0] ?? '')
      response.end(text)
    })
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${port}`, seen }
}

/** Fields that origins and frameworks are known to heed, none of which is a part of the key. */
const UNKEYED = [
  'X-Forwarded-Host',
  'X-Forwarded-Server',
  'X-Forwarded-Scheme',
  'X-Forwarded-Proto',
  'X-Forwarded-Protocol',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Path',
  'X-Forwarded-SSL',
  'X-Forwarded-For',
  'X_Forwarded_Host',
  'Forwarded',
  'X-Host',
  'X-HTTP-Host-Override',
  'X-Original-Host',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Override-URL',
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'X-HTTP-Status-Code-Override',
  'X-Real-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'Client-IP',
  'Fastly-Client-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'Front-End-Https',
  'X-Url-Scheme',
  'X-Amz-Website-Redirect-Location',
  'X-Oss-Process',
  'X-Forwarded-User',
  'Cookie',
  'Cookie2',
  'Referer',
  'Origin',
  'Pragma',
  'Cache-Control',
  'Range',
  'If-Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
  'Accept-Encoding',
  'Accept-Charset',
  'Content-Type',
  'Content-Encoding',
  'DNT',
  'Save-Data',
  'Sec-CH-UA',
  'Sec-Fetch-Site',
  'Upgrade-Insecure-Requests',
  'Purpose',
  'X-Requested-With',
  'X-Request-ID',
  'Traceparent',
  'TE',
  'Keep-Alive',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Max-Forwards',
  'Destination',
  'Authority',
  'X-Timer',
  'X-Accel-Redirect',
  'Surrogate-Capability',
  'Api-Version',
  'CMCD-Session',
]

t.test('no field that is not in the key reaches an origin with a shared fetch', async (t) => {
  const origin = await startEcho(t)
  const edge = await startEdge(t, { origin: origin.url })
  for (const name of UNKEYED) {
    const url = `${edge.url}/by-${name}`
    await get(url, { headers: { [name]: 'evil.example' } })
    const victim = await get(url)
    t.ok(cacheStatusOf(victim).has('hit'), `${name}: one object`)
    t.notMatch(victim.text + victim.rawHeaders.join('\n'), /evil/, name)
  }
  t.notMatch(origin.seen.join('\n'), /evil/, 'nor has the origin ever seen one')
  t.equal(origin.seen.length, UNKEYED.length)
})

t.test('whoever the request says it is for, the origin is asked for itself', async (t) => {
  const origin = await startEcho(t)
  const edge = await startEdge(t, { origin: origin.url })
  await get(`${edge.url}/host`, { headers: { Host: 'evil.example' } })
  const victim = await get(`${edge.url}/host`)
  t.ok(cacheStatusOf(victim).has('hit'))
  t.notMatch(victim.text, /evil/)
  for (const head of [
    'GET http://evil.example/x HTTP/1.1\r\nHost: a\r\n',
    'GET /x HTTP/1.1\r\nHost: a\r\nHost: evil.example\r\n',
    'GET /x HTTP/1.1\r\nHost: a/../evil.example\r\n',
    'GET /x HTTP/1.1\r\nHost: a@evil.example\r\n',
    'GET /x HTTP/1.1\r\n',
    'GET @evil.example/x HTTP/1.1\r\nHost: a\r\n',
    'GET //evil.example/x HTTP/1.1\r\nHost: a\r\n',
  ]) {
    const client = await openRaw(t, edge.url)
    client.send(`${head}Connection: close\r\n\r\n`)
    await client.readAll()
  }
  const odd = origin.seen.filter((text) => /evil/.test(text))
  t.strictSame(
    odd.map((text) => text.split('\n', 1)[0]),
    ['GET //evil.example/x'],
    'but for a path that has such a name in it',
  )
})

t.test('a GET with a body, and methods: neither changes what a GET is answered with', async (t) => {
  const origin = await startEcho(t)
  const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']
  const edge = await startEdge(t, {
    origin: origin.url,
    properties: [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], methods }],
  })
  for (const method of methods) {
    const body = method === 'OPTIONS' || method === 'HEAD' ? '' : 'a=evil'
    const client = await openRaw(t, edge.url)
    client.send(
      `${method} /m-${method} HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: evil.example\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n` +
        `Connection: close\r\n\r\n${body}`,
    )
    await client.readAll()
    const victim = await get(`${edge.url}/m-${method}`)
    t.equal(victim.status, 200)
    t.match(victim.text, /^GET /, method)
    t.notMatch(victim.text, /evil/, method)
  }
})

/** Paths on which caches and origins have disagreed about what they name, and what the origin is asked for. */
const PATHS: [string, string | null][] = [
  ['/account.m3u8/x.css', '/account.m3u8/x.css'],
  ['/account/x.css', '/account/x.css'],
  ['/account;x.css', '/account;x.css'],
  ['/account;/x.css', '/account;/x.css'],
  ['/account%3bx.css', '/account%3Bx.css'],
  ['/account%2Fx.css', '/account%2Fx.css'],
  ['/account%2fx.css', '/account%2Fx.css'],
  ['/account%252Fx.css', '/account%252Fx.css'],
  ['/account%3Fx.css', '/account%3Fx.css'],
  ['/account%23x.css', '/account%23x.css'],
  ['/account%00x.css', '/account%00x.css'],
  ['/account%0ax.css', '/account%0Ax.css'],
  ['/account%0d%0aX-Evil:%201', '/account%0D%0AX-Evil:%201'],
  ['/account%09x.css', '/account%09x.css'],
  ['/account%5Cx.css', '/account%5Cx.css'],
  ['/account$x.css', '/account$x.css'],
  ['/account%x.css', null],
  ['/account%u002e', null],
  ['/account\\x.css', null],
  ['/account#x.css', null],
  ['/account?#x.css', null],
  ['/account%20', '/account%20'],
  ['/account/', '/account/'],
  ['/account', '/account'],
  ['//account', '//account'],
  ['/Account', '/Account'],
  ['/%61ccount', '/account'],
  ['/%41ccount', '/Account'],
  ['/static/../account', '/account'],
  ['/static/%2e%2e/account', '/account'],
  ['/static/%2E./account', '/account'],
  ['/static/..%2faccount', '/static/..%2Faccount'],
  ['/static/%2e%2e%2faccount', '/static/..%2Faccount'],
  ['/static/..%5caccount', '/static/..%5Caccount'],
  ['/static/..;/account', '/static/..;/account'],
  ['/static/.../account', '/static/.../account'],
  ['/../../account', '/account'],
  ['/account/.', '/account/'],
  ['/account/..', '/'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/caf%C3%A9', '/caf%C3%A9'],
  ['/cafe%cc%81', '/cafe%CC%81'],
  ['/%c0%ae%c0%ae/account', '/%C0%AE%C0%AE/account'],
  ['/account?b=2&a=1', '/account?a=1&b=2'],
  ['/account?a=1;b=2', '/account?a=1;b=2'],
  ['/account?a=1&a=2', '/account?a=1&a=2'],
  ['/account?a=2&a=1', '/account?a=2&a=1'],
  ['/account?A=1', '/account?A=1'],
  ['/account?utm_source=x', '/account'],
  ['/account?utm_source=x;callback=evil', '/account'],
  ['/account?utm_source=x&callback=ok', '/account?callback=ok'],
  ['/account?%75tm_source=x', '/account?%75tm_source=x'],
  ['/account?CMCD=br%3D1', '/account'],
  ['/account?', '/account'],
  ['/account?/../../admin', '/account?/../../admin'],
]

t.test('what the origin is asked for is what the answer is kept under, character by character', async (t) => {
  const origin = await startEcho(t)
  const edge = await startEdge(t, { origin: origin.url })
  const first = new Map<string, string>()
  for (const [target, expected] of PATHS) {
    t.equal(keyOf('all', target)?.key ?? null, expected === null ? null : `all ${expected}`, target)
    const client = await openRaw(t, edge.url)
    client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    const reply = await client.read()
    if (expected === null) {
      t.equal(reply?.status, 400, target)
      continue
    }
    t.equal(reply?.headers.get('x-asked'), expected, target)
    const hit = reply?.headers.get('cache-status')?.includes('hit') === true
    t.equal(hit, first.has(expected), `${target} ${hit ? `is what ${first.get(expected)} is` : 'is its own'}`)
    if (!first.has(expected)) first.set(expected, target)
  }
  t.strictSame(
    origin.seen.map((text) => /^GET (\S+)/.exec(text)?.[1]),
    [...first.keys()],
    'and each was asked for once',
  )
})

t.test('a page for one viewer does not become everyone’s by its name', async (t) => {
  const rules = { cache: { rules: [{ match: '*.css', ttl: '1h' }] } }
  for (const [says, cacheControl] of [
    ['private', 'private'],
    ['no-store', 'no-store'],
    ['nothing', null],
  ] as const) {
    const origin = await startEcho(t, cacheControl)
    const edge = await startEdge(t, {
      origin: origin.url,
      properties: [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], ...rules }],
    })
    for (const path of ['/account/x.css', '/account.m3u8/y.css', '/account;z.css']) {
      await get(edge.url + path, {
        headers: { Cookie: 'session=victim', Authorization: 'Bearer victim', Origin: 'https://a.example' },
      })
      const stranger = await get(edge.url + path)
      t.notMatch(stranger.text + stranger.rawHeaders.join('\n'), /victim/, `${path}, origin says ${says}`)
    }
    t.notMatch(origin.seen.join('\n'), /session=victim/, 'who is logged in it was never told')
  }
})
