// Methods that a property passes through, what they make invalid (RFC 9111 §4.4), and interim answers
// (RFC 9110 §15.2).
import { createServer } from 'node:http'
import t from 'tap'
import { listen } from '../../src/net/listen.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { startSharedEdge } from '../kit/shared-edge.ts'

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE']
const passing = [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], methods: METHODS }]

/** Answers with what it was sent. */
async function startEcho(t: TestScope): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      response.setHeader('X-Method', request.method ?? '')
      response.end(Buffer.concat(parts))
    })
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${port}`
}

const directory = await startSharedEdge(t, { properties: passing })

t.test('a request with a body, by length, chunked, and after 100 (Continue)', async (t) => {
  const edge = await startEdge(t, { origin: await startEcho(t), properties: passing })
  const body = 'x'.repeat(200_000)
  const posted = await fetch(`${edge.url}/x`, { method: 'POST', body })
  t.equal(posted.headers.get('x-method'), 'POST')
  t.equal(await posted.text(), body)
  const chunks = new ReadableStream({
    start(controller) {
      for (const part of ['one ', 'two ', 'three']) controller.enqueue(new TextEncoder().encode(part))
      controller.close()
    },
  })
  const streamed = await fetch(`${edge.url}/x`, { method: 'PUT', body: chunks, duplex: 'half' })
  t.equal(await streamed.text(), 'one two three')
  const raw = await openRaw(t, edge.url)
  raw.send(
    'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
  )
  t.equal((await raw.readHead())?.status, 100)
  raw.send('hello')
  t.match((await raw.readAll()).toString('latin1'), /X-Method: POST[\s\S]*hello/i)
})

t.test('what succeeds makes the stored object invalid, what fails does not', async (t) => {
  const origin = await startOrigin(t, {
    '/x': (request, nth) => ({
      status: request.headers['x-fail'] === undefined ? 200 : 409,
      body: `answer ${nth}`,
      fields: { 'Cache-Control': 'max-age=600' },
    }),
  })
  const edge = await startEdge(t, { origin: origin.url, properties: passing })
  t.equal((await get(`${edge.url}/x`)).text, 'answer 1')
  await get(`${edge.url}/x`, { method: 'POST', headers: { 'X-Fail': '1' } })
  t.equal((await get(`${edge.url}/x`)).text, 'answer 1', 'a conflict changes nothing')
  await get(`${edge.url}/x`, { method: 'DELETE' })
  t.equal((await get(`${edge.url}/x`)).text, 'answer 4', 'success does')
  await edge.stop()
  await edge.start()
  t.equal((await get(`${edge.url}/x`)).text, 'answer 4', 'nor does a restart bring the old one back')
})

t.test('a fill that was under way when its object became invalid is not kept', async (t) => {
  const fields = { 'Cache-Control': 'max-age=600' }
  const { edge, origin } = directory({
    '/x': (_request, nth) => (nth === 1 ? { body: 'old', fields, pauseAt: 1 } : { body: 'new', fields }),
  })
  const waiting = get(`${edge.url}/x`)
  await origin.paused('/x')
  t.equal((await get(`${edge.url}/x`, { method: 'PUT' })).status, 200)
  origin.resume('/x')
  t.equal((await waiting).text, 'old')
  t.equal((await get(`${edge.url}/x`)).text, 'new')
})

t.test('interim answers reach the client that waits, before the final one', async (t) => {
  const server = createServer((_request, response) => {
    response.writeEarlyHints({ link: '</init.mp4>; rel=preload' }, () => {
      response.setHeader('Cache-Control', 'max-age=600')
      response.end('final')
    })
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => server.close())
  const edge = await startEdge(t, { origin: `http://127.0.0.1:${port}` })
  const raw = await openRaw(t, edge.url)
  raw.send('GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const text = (await raw.readAll()).toString('latin1')
  t.match(
    text,
    /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/init\.mp4>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
  )
  const old = await openRaw(t, edge.url)
  old.send('GET /y HTTP/1.0\r\nHost: a\r\n\r\n')
  t.match((await old.readAll()).toString('latin1'), /^HTTP\/1\.1 200 OK/, 'none for HTTP/1.0')
})

const HERE = { 'Cache-Control': 'max-age=600', 'Content-Location': '/x' }

t.test(
  'the answer to a POST that stands for its target answers GET, until the next that changes it',
  async (t) => {
    const origin = await startOrigin(t, {
      '/x': (_request, nth) => ({ body: `answer ${nth}`, fields: HERE }),
    })
    const edge = await startEdge(t, { origin: origin.url, properties: passing })
    const post = async () => (await get(`${edge.url}/x`, { method: 'POST' })).text
    t.equal((await get(`${edge.url}/x`)).text, 'answer 1')
    t.equal(await post(), 'answer 2')
    const held = await get(`${edge.url}/x`)
    t.match([held.text, held.headers['cache-status']], ['answer 2', /hit/])
    t.equal(await post(), 'answer 3', 'a POST is never answered from here')
    t.equal((await get(`${edge.url}/x`)).text, 'answer 3')
    await get(`${edge.url}/x`, { method: 'DELETE' })
    t.equal((await get(`${edge.url}/x`)).text, 'answer 5')
  },
)

/** Why it is not kept → fields of the answer (with `/x` for its path), and of the request. */
const FOR_ITS_CLIENT: Record<string, [Record<string, string>, Record<string, string>]> = {
  'does not say how long it is fresh': [{ 'Content-Location': '/x' }, {}],
  'does not say what it is': [{ 'Cache-Control': 'max-age=600' }, {}],
  'is of something else': [{ ...HERE, 'Content-Location': '/y' }, {}],
  'is of something elsewhere': [{ ...HERE, 'Content-Location': 'http://elsewhere.example/x' }, {}],
  'is private': [{ ...HERE, 'Cache-Control': 'private, max-age=600' }, {}],
  varies: [{ ...HERE, Vary: 'Accept' }, {}],
  'is encoded': [{ ...HERE, 'Content-Encoding': 'x-own' }, {}],
  'may come from a field that no GET carries': [HERE, { 'X-Forwarded-Host': 'evil.example' }],
  'may come from a cookie': [HERE, { Cookie: 'session=1' }],
  'may come from credentials': [HERE, { Authorization: 'Basic eA==' }],
}

t.test('an answer to a POST that is for its client alone, or may be, is not kept', async (t) => {
  const origin = await startOrigin(t, {})
  const edge = await startEdge(t, { origin: origin.url, properties: passing })
  for (const [i, [why, [fields, headers]]] of Object.entries(FOR_ITS_CLIENT).entries()) {
    const path = `/${i}`
    const own = Object.entries(fields).map(([name, value]) => [name, value.replace(/\/x$/, path)] as const)
    origin.on(path, (_request, nth) => ({ body: `answer ${nth}`, fields: Object.fromEntries(own) }))
    await get(edge.url + path, { method: 'POST', headers })
    t.equal((await get(edge.url + path)).text, 'answer 2', why)
  }
})
