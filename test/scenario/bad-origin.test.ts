// An origin that is old, slow, goes round in circles, or is not who it should be: each has a clear outcome. Malformed heads
// and bodies are in test/fuzz/edge-attack.test.ts, origins that fail in edge-origin-failure.test.ts.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import t from 'tap'
import { listen } from '../../src/net/listen.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { outcomeOf } from '../kit/purging.ts'
import { startRawOrigin } from '../kit/raw-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'

const FRESH = { 'Cache-Control': 'max-age=600' }
const OLD = 'HTTP/1.0 200 OK\r\nCache-Control: max-age=600\r\n'

t.test('HTTP/1.0: what ends by its length, or by closing, is kept; what is reset is no end', async (t) => {
  const origin = await startRawOrigin(t, {
    '/length': (socket) => socket.end(`${OLD}Content-Length: 5\r\n\r\nwhole`),
    '/close': (socket) => socket.end(`${OLD}\r\nwhole`),
    '/short': (socket) => socket.end(`${OLD}Content-Length: 9\r\n\r\nwhole`),
    '/reset': (socket) =>
      socket.write(`${OLD}\r\nhalf`, () => setTimeout(() => socket.resetAndDestroy(), 50)),
  })
  const edge = await startEdge(t, { origin })
  for (const path of ['/length', '/close']) {
    t.match(await get(edge.url + path), { status: 200, complete: true, text: 'whole' }, path)
    t.equal(outcomeOf(await get(edge.url + path)), 'hit', path)
  }
  for (const path of ['/short', '/reset']) {
    t.match(await get(edge.url + path), { complete: false }, path)
    const again = await get(edge.url + path)
    t.match([again.complete, outcomeOf(again)], [false, 'uri-miss'], `${path} is not kept`)
  }
})

t.test('a slow body is waited for as long as it comes, and nobody waits behind it', async (t) => {
  const body = 'a body of some length, byte by byte'
  const origin = await startOrigin(t, {
    '/slow': { body, fields: FRESH, trickle: { bytes: 1, everyMs: 50 } },
    '/quick': { body: 'quick' },
  })
  const edge = await startEdge(t, { origin: origin.url })
  const slow = Array.from({ length: 5 }, () => get(`${edge.url}/slow`))
  await origin.asked('/slow')
  t.match(await get(`${edge.url}/quick`), { status: 200, text: 'quick' })
  for (const reply of await Promise.all(slow)) t.match(reply, { complete: true, text: body })
  t.equal(origin.count('/slow'), 1)
})

const to = (where: string) => ({ status: 302, fields: { ...FRESH, Location: where } })

t.test('redirects in a circle: the client is sent round, the edge asks once', async (t) => {
  const origin = await startOrigin(t, { '/a': to('/b'), '/b': to('/a'), '/self': to('/self') })
  const edge = await startEdge(t, { origin: origin.url })
  origin.on('/out', to(`${edge.url}/out`))
  for (const start of ['/a', '/self', '/out']) {
    let at = new URL(start, edge.url)
    for (let hops = 0; hops < 6; hops++) {
      const reply = await get(at.href)
      t.equal(reply.status, 302, at.pathname)
      at = new URL(String(reply.headers.location), at)
    }
  }
  for (const path of ['/a', '/b', '/self', '/out']) t.equal(origin.count(path), 1, path)
})

/** An origin over TLS, by these names, and the paths it was asked for. */
async function startTlsOrigin(t: TestScope, names: readonly string[]) {
  const files = await makeCertificate(await tempDirectory(t), 'origin', { names })
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)])
  const asked: string[] = []
  const server = createServer({ cert, key }, ({ url = '' }, response) => {
    asked.push(url)
    response.end('secret')
  })
  const url = `https://127.0.0.1:${await listen(server, { host: '127.0.0.1', port: 0 }, 'origin')}`
  t.teardown(() => server.close())
  return { url, ca: files.certificate, asked }
}

t.test('a certificate that does not match: 502, and nothing is asked of whoever shows it', async (t) => {
  const right = await startTlsOrigin(t, ['IP:127.0.0.1'])
  const other = await startTlsOrigin(t, ['origin.example.com'])
  const unknown = await startTlsOrigin(t, ['IP:127.0.0.1'])
  const origins = [
    { id: 'right', url: right.url, tls: { ca: right.ca } },
    { id: 'other', url: other.url, tls: { ca: other.ca } },
    { id: 'unknown', url: unknown.url, tls: { ca: right.ca } },
    { id: 'untold', url: unknown.url },
  ]
  const edge = await startEdge(t, {
    origin: '',
    config: { origins },
    properties: origins.map(({ id }) => ({ id, hosts: [`${id}.example.com`], origins: [{ id }] })),
  })
  const ask = (id: string) => get(`${edge.url}/film`, { headers: { Host: `${id}.example.com` } })
  t.match(await ask('right'), { status: 200, text: 'secret' })
  for (const id of ['other', 'unknown', 'untold']) {
    const reply = await ask(id)
    t.match(reply, { status: 502, headers: { 'proxy-status': 'solo; error=tls_certificate_error' } }, id)
    t.notMatch(reply.text, /secret/)
  }
  t.strictSame([right.asked, other.asked, unknown.asked], [['/film'], [], []])
})
