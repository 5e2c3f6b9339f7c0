// Bytes that are no good request: a clean error or the right answer, and the edge serves on.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { RawReply } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const BODY = bytesOf(1, 1000)
const origin = await startOrigin(t, { '/x': { body: BODY, fields: { 'Cache-Control': 'max-age=600' } } })
const properties = [{ id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] }]
const edge = await startEdge(t, { origin: origin.url, properties })
const HOST = 'Host: shows.example.com\r\n'
const GOOD = `GET /x HTTP/1.1\r\n${HOST}\r\n`

/** All replies until the server closes; the client closes its side when `bytes` have gone. */
async function exchange(t: TestScope, bytes: string | Buffer): Promise<RawReply[]> {
  const client = await openRaw(t, edge.url)
  client.send(bytes)
  client.socket.end()
  const replies: RawReply[] = []
  for (let reply = await client.read(); reply !== null; reply = await client.read()) replies.push(reply)
  client.leave()
  return replies
}

/** A kept-alive connection would be closed by the client's end alone: for refusals, the server must close. */
async function refusal(t: TestScope, bytes: string | Buffer): Promise<RawReply | null> {
  const client = await openRaw(t, edge.url)
  client.send(bytes)
  const reply = await client.read()
  await client.closed
  return reply
}

t.afterEach(async () => {
  const [reply] = await exchange(t, GOOD)
  t.ok(reply?.status === 200 && reply.body.equals(BODY), 'the edge serves on')
})

t.test('unknown host and unknown property', async (t) => {
  const cases: [string, string][] = [
    ['/x', 'other.example.com'],
    ['/x', 'shows.example.com.evil.example'],
    ['/x', '[::1]:80'],
    ['/~nothere/x', 'shows.example.com'],
    ['/~/x', 'shows.example.com'],
    ['/~shows2/x', 'shows.example.com'],
  ]
  for (const [target, host] of cases) {
    const reply = await get(edge.url + target, { headers: { Host: host } })
    t.equal(reply.status, 404, `${host}${target}`)
    t.match(reply.headers['content-type'], /^text\/plain/)
  }
  t.notOk(origin.requests('/~nothere/x').length, 'the origin is not asked')
})

t.test('a head beyond the bound: 431', async (t) => {
  const long = `GET /x HTTP/1.1\r\n${HOST}X-Long: ${'y'.repeat(20_000)}\r\n\r\n`
  const many = `GET /x HTTP/1.1\r\n${HOST}${'X-A: b\r\n'.repeat(2000)}\r\n`
  const endless = `GET /x HTTP/1.1\r\n${HOST}${'X-A: b\r\n'.repeat(8000)}`
  for (const bytes of [long, many, endless]) t.equal((await refusal(t, bytes))?.status, 431)
})

t.test('a target beyond the bound: 414 or 431', async (t) => {
  for (const length of [9000, 20_000]) {
    const reply = await exchange(t, `GET /${'a'.repeat(length)} HTTP/1.1\r\n${HOST}\r\n`)
    t.ok([414, 431].includes(reply[0]?.status ?? 0), `${length}: ${reply[0]?.status}`)
  }
})

const CONFLICTS: Record<string, string> = {
  'Content-Length with Transfer-Encoding': `GET /x HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'two Content-Lengths': `GET /x HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
  'Content-Length that is no number': `GET /x HTTP/1.1\r\n${HOST}Content-Length: +5\r\n\r\nhello`,
  'a transfer coding that is not chunked': `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\n`,
  'a folded line': `GET /x HTTP/1.1\r\n${HOST}X-A: b\r\n c\r\n\r\n`,
  'a space before the colon': `GET /x HTTP/1.1\r\nHost : shows.example.com\r\n\r\n`,
  'a field without a name': `GET /x HTTP/1.1\r\n${HOST}: b\r\n\r\n`,
  'a field without a colon': `GET /x HTTP/1.1\r\n${HOST}X-A\r\n\r\n`,
  'a NUL in a value': `GET /x HTTP/1.1\r\n${HOST}X-A: b\0c\r\n\r\n`,
  'a bare CR in a value': `GET /x HTTP/1.1\r\n${HOST}X-A: b\rc\r\n\r\n`,
  'two Hosts': `GET /x HTTP/1.1\r\n${HOST}Host: other.example.com\r\n\r\n`,
  'no Host': `GET /x HTTP/1.1\r\n\r\n`,
  'a space in the target': `GET /x y HTTP/1.1\r\n${HOST}\r\n`,
  'a target that is no path': `GET x HTTP/1.1\r\n${HOST}\r\n`,
  'a method that is no token': `G(T /x HTTP/1.1\r\n${HOST}\r\n`,
  'no version': `GET /x\r\n${HOST}\r\n`,
  'an unknown version': `GET /x HTTP/9.1\r\n${HOST}\r\n`,
  TLS: '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'.padEnd(200, '\x00'),
  'nothing that makes sense': '\x00\xff\xfe garbage \r\n\r\n\r\n',
}

for (const [what, bytes] of Object.entries(CONFLICTS)) {
  t.test(`refused, and the connection closed: ${what}`, async (t) => {
    const reply = await refusal(t, bytes + GOOD)
    // Not a byte behind a head that is not understood may be taken for a request.
    t.ok(reply === null || (reply.status >= 400 && reply.status < 506), `status ${reply?.status}`)
    t.not(reply?.headers.get('connection'), 'keep-alive')
  })
}

t.test('refused or answered, but never smuggled: bare LF as line end', async (t) => {
  const replies = await exchange(
    t,
    `GET /x HTTP/1.1\nHost: shows.example.com\n\nGET /y HTTP/1.1\r\n${HOST}\r\n`,
  )
  t.ok(replies.length <= 1 || replies[0]?.status === 200, replies.map(({ status }) => status).join())
})

t.test('HTTP/2 without TLS is refused, not answered', async (t) => {
  const reply = await refusal(t, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')
  t.ok(reply === null || reply.status >= 400, `status ${reply?.status}`)
})

t.test('CONNECT is refused', async (t) => {
  const reply = await refusal(t, `CONNECT shows.example.com:443 HTTP/1.1\r\n${HOST}\r\n`)
  t.ok(
    reply === null || (reply.status >= 400 && reply.status < 500) || reply.status === 501,
    `status ${reply?.status}`,
  )
})

t.test('absolute-form is answered by its own host (RFC 9112 §3.2.2)', async (t) => {
  const [right] = await exchange(t, `GET http://shows.example.com/x HTTP/1.1\r\n${HOST}\r\n`)
  t.ok(right?.status === 200 || right?.status === 400, `status ${right?.status}`)
  const [other] = await exchange(t, `GET http://other.example.com/x HTTP/1.1\r\n${HOST}\r\n`)
  t.ok(other !== undefined && other.status >= 400 && other.status < 500, `status ${other?.status}`)
})

t.test('HTTP/1.0 gets its answer and a closed connection', async (t) => {
  const reply = await refusal(t, `GET /x HTTP/1.0\r\n${HOST}\r\n`)
  t.equal(reply?.status, 200)
  t.ok(reply?.body.equals(BODY))
})

t.test('pipelined requests are answered in order', async (t) => {
  const bytes = `HEAD /x HTTP/1.1\r\n${HOST}\r\n${GOOD}GET /~nothere/x HTTP/1.1\r\n${HOST}\r\n${GOOD}`
  const client = await openRaw(t, edge.url)
  client.send(bytes)
  t.equal((await client.read({ head: true }))?.status, 200)
  t.ok((await client.read())?.body.equals(BODY))
  t.equal((await client.read())?.status, 404)
  t.ok((await client.read())?.body.equals(BODY))
  client.leave()
})

t.test('a request with a body is framed by it, and the next one is a request of its own', async (t) => {
  const smuggled = `GET /~nothere/x HTTP/1.1\r\n${HOST}\r\n`
  const bodied = `GET /x HTTP/1.1\r\n${HOST}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`
  const chunked = `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`
  for (const [bytes, first] of [[bodied, 200] as const, [chunked, 405] as const]) {
    const statuses = (await exchange(t, bytes + GOOD)).map(({ status }) => status)
    t.equal(statuses[0], first)
    // Closing instead of reading on is right as well.
    t.ok(statuses.length === 1 || (statuses.length === 2 && statuses[1] === 200), statuses.join())
  }
})

t.test('a head that comes byte by byte is a head', async (t) => {
  const client = await openRaw(t, edge.url)
  for (const byte of GOOD) {
    client.send(byte)
    await new Promise(setImmediate)
  }
  t.ok((await client.read())?.body.equals(BODY))
  client.leave()
})

t.test('paths that are none', async (t) => {
  for (const target of ['/%', '/%zz', '/a%0', '/x%00y', '/"x"', '/<x>', '/x#y', '/\x80']) {
    const [reply] = await exchange(t, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`)
    t.ok(
      reply !== undefined && reply.status >= 400 && reply.status < 500,
      `${JSON.stringify(target)}: ${reply?.status}`,
    )
  }
})

t.test('clients that leave at every moment', async (t) => {
  for (let length = 0; length <= GOOD.length; length += 3) {
    const client = await openRaw(t, edge.url)
    client.send(GOOD.slice(0, length))
    client.leave()
  }
  t.equal((await get(`${edge.url}/~shows/x`)).status, 200)
})
