// Requests that two parsers might read as different ones, sent to an edge that passes POST on to its origin: each is
// refused and its connection closed, or is one request to both. What hides in a body reaches nobody as a request.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { RawReply } from '../kit/raw-client.ts'
import { startRecordingOrigin } from '../kit/recording-origin.ts'
import type { RecordedRequest } from '../kit/recording-origin.ts'
import type { TestScope } from '../kit/scope.ts'

const origin = await startRecordingOrigin(t)
const edge = await startEdge(t, {
  origin: origin.url,
  properties: [
    {
      id: 'all',
      hosts: ['a.example'],
      origins: [{ id: 'studio' }],
      methods: ['GET', 'HEAD', 'OPTIONS', 'POST'],
    },
  ],
})

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n'
const LENGTH = SMUGGLED.length
const NEXT = 'GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n'
const post = (fields: string, body = '', start = 'POST /post HTTP/1.1') =>
  `${start}\r\nHost: a.example\r\n${fields}\r\n${body}`
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body)
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

let numbered = 0

/** `/post` and `/next` under names of this case's own, as long as they were: what reaches the origin late is told apart. */
function numberCase(): { named: (text: string) => string; reached: () => RecordedRequest[] } {
  const number = String(++numbered).padStart(3, '0')
  const named = (text: string) => text.replaceAll('/post', `/p${number}`).replaceAll('/next', `/n${number}`)
  return { named, reached: () => origin.requests.filter(({ target }) => target.endsWith(number)) }
}

const ANSWER_WITHIN_MS = 5000

interface Seen {
  replies: RawReply[]
  /** The server closed before the client did. */
  closed: boolean
}

/** Sends, and reads all replies there are until the server closes; closes its own side after a while. */
async function converse(t: TestScope, bytes: string, patienceMs: number): Promise<Seen> {
  const client = await openRaw(t, edge.url)
  client.send(bytes)
  // A busy machine takes its time: patience is with what comes behind the first answer.
  await Promise.race([client.has(1), delay(ANSWER_WITHIN_MS, undefined, { ref: false })])
  const closed = await Promise.race([
    client.closed.then(() => true),
    delay(patienceMs, false, { ref: false }),
  ])
  if (!closed) client.socket.end()
  const replies: RawReply[] = []
  try {
    for (let reply = await client.read(); reply !== null; reply = await client.read()) replies.push(reply)
  } catch {
    // A reply that is cut short is none.
  }
  client.leave()
  return { replies, closed }
}

/** One 4xx at most, and the connection closed by the server. */
const REFUSED: Record<string, string> = {
  'CL.TE': post(`Content-Length: ${5 + LENGTH}\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`),
  'TE.CL': post(`Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`, `${chunk(SMUGGLED)}0\r\n\r\n`),
  'CL.TE in HTTP/1.0': post(
    `Content-Length: ${LENGTH}\r\nTransfer-Encoding: chunked\r\n`,
    `0\r\n\r\n${SMUGGLED}`,
    'POST /post HTTP/1.0',
  ),
  'chunked that is not the last coding': post(
    'Transfer-Encoding: chunked, identity\r\n',
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'chunked twice': post('Transfer-Encoding: chunked, chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'another coding': post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a quoted coding': post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding with a parameter': post('Transfer-Encoding: chunked;a=b\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding behind a vertical tab': post('Transfer-Encoding:\x0bchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a coding with a NUL': post('Transfer-Encoding: chunked\0\r\n', `0\r\n\r\n${SMUGGLED}`),
  'Transfer-Encoding twice, the second odd': post(
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n',
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'an empty Transfer-Encoding beside a length': post(
    `Transfer-Encoding:\r\nContent-Length: ${LENGTH}\r\n`,
    SMUGGLED,
  ),
  'a space before the colon of Transfer-Encoding': post(
    'Transfer-Encoding : chunked\r\n',
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'a space before the colon of Content-Length': post(`Content-Length : ${LENGTH}\r\n`, SMUGGLED),
  'a folded Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a folded Content-Length': post(`Content-Length:\r\n ${LENGTH}\r\n`, SMUGGLED),
  'a fold behind the start line': `POST /post HTTP/1.1\r\n Content-Length: ${LENGTH}\r\nHost: a.example\r\n\r\n${SMUGGLED}`,
  'a field hidden behind a bare LF': post(`X-A: b\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`),
  'a field hidden behind a bare CR': post(`X-A: b\rTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`),
  'a name broken by a LF': post('Transfer-Encoding\n: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a NUL in a value': post(`X-A: b\0c\r\nContent-Length: ${LENGTH}\r\n`, SMUGGLED),
  'a NUL in a name': post(`Content-Length\0: ${LENGTH}\r\n`, SMUGGLED),
  'two lengths': post(`Content-Length: 0\r\nContent-Length: ${LENGTH}\r\n`, SMUGGLED),
  'two lengths in one field': post(`Content-Length: 0, ${LENGTH}\r\n`, SMUGGLED),
  'a length with a sign': post(`Content-Length: +${LENGTH}\r\n`, SMUGGLED),
  'a length below nothing': post('Content-Length: -1\r\n', SMUGGLED),
  'a length in hexadecimal': post('Content-Length: 0x10\r\n', SMUGGLED),
  'a length with a fraction': post('Content-Length: 0.0\r\n', SMUGGLED),
  'a length with something behind it': post('Content-Length: 0 1\r\n', SMUGGLED),
  'a length that overflows': post('Content-Length: 18446744073709551616\r\n', SMUGGLED),
  'an empty length': post('Content-Length: \r\n', SMUGGLED),
  'a chunk size with a sign': chunked(`+0\r\n\r\n${SMUGGLED}`),
  'a chunk size below nothing': chunked(`-1\r\n\r\n${SMUGGLED}`),
  'a chunk size with 0x': chunked(`0x0\r\n\r\n${SMUGGLED}`),
  'a chunk size that overflows': chunked(`10000000000000000\r\n\r\n${SMUGGLED}`),
  'an empty chunk size': chunked(`\r\n\r\n${SMUGGLED}`),
  'a chunk size ended by LF': chunked(`0\n\r\n${SMUGGLED}`),
  'a chunk size behind a space': chunked(` 0\r\n\r\n${SMUGGLED}`),
  'a chunk that is longer than its size': chunked(`2\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  'a chunk without its line end': chunked(`5\r\nhello0\r\n\r\n${SMUGGLED}`),
  'a chunk ended by LF': chunked(`5\r\nhello\n0\r\n\r\n${SMUGGLED}`),
  'a chunk extension with a LF': chunked(`5;a\nb\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  'a chunk extension with a CR': chunked(`5;a\rb\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  'a chunk extension without end': chunked(`5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  'a trailer with a bare LF': chunked(`0\r\nX-A: b\nX-B: c\r\n\r\n${SMUGGLED}`),
  'trailers without end': chunked(`0\r\n${'X-A: b\r\n'.repeat(4000)}\r\n${SMUGGLED}`),
  'a length as trailer': chunked(`5\r\nhello\r\n0\r\nContent-Length: 40\r\n\r\n${SMUGGLED}`),
  'a coding as trailer': chunked(`5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED}`),
  CONNECT: `CONNECT a.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n${SMUGGLED}`,
  'no Host': `POST /post HTTP/1.1\r\nContent-Length: ${LENGTH}\r\n\r\n${SMUGGLED}`,
  'two Hosts': post(`Host: b.example\r\nContent-Length: 0\r\n`, SMUGGLED),
  'a start line with a LF': `POST /post\n HTTP/1.1\r\nHost: a.example\r\n\r\n${SMUGGLED}`,
  'a version nobody speaks': post('', SMUGGLED, 'POST /post HTTP/1.2'),
  'no version': `GET /post\r\n${SMUGGLED}`,
  'an Upgrade to HTTP/2 that would speak on': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`,
}

for (const [what, bytes] of Object.entries(REFUSED)) {
  t.test(`refused: ${what}`, async (t) => {
    const { named, reached } = numberCase()
    const { replies, closed } = await converse(t, named(bytes), 5000)
    t.ok(closed, 'the server closes')
    t.ok(replies.length <= 1, `${replies.length} replies`)
    t.ok(
      replies.every(({ status }) => status >= 400 && status < 600),
      `${replies[0]?.status}`,
    )
    t.ok(reached().length <= 1, 'what had begun may have reached the origin, once')
    t.ok(
      reached().every(({ complete }) => !complete),
      'and was broken off',
    )
    t.strictSame(origin.garbage, [])
  })
}

/** One request to both, with this body; what is behind it may be answered, or cut off with the connection. */
const ONE: Record<string, { bytes: string; body: string }> = {
  'a request as body, by length': { bytes: post(`Content-Length: ${LENGTH}\r\n`, SMUGGLED), body: SMUGGLED },
  'a request as body, in chunks': {
    bytes: chunked(`${chunk(SMUGGLED)}${chunk(NEXT)}0\r\n\r\n`),
    body: SMUGGLED + NEXT,
  },
  'the end of a chunked body as body': {
    bytes: post(`Content-Length: ${5 + LENGTH}\r\n`, `0\r\n\r\n${SMUGGLED}`),
    body: `0\r\n\r\n${SMUGGLED}`,
  },
  'chunked in capitals behind a tab': {
    bytes: post('TRANSFER-ENCODING:\tChUnKeD\r\n', `${chunk(SMUGGLED)}0\r\n\r\n`),
    body: SMUGGLED,
  },
  'chunk extensions': { bytes: chunked(`5;a=b;c="d"\r\nhello\r\n0;x\r\n\r\n`), body: 'hello' },
  'a trailer': { bytes: chunked('5\r\nhello\r\n0\r\nX-A: b\r\n\r\n'), body: 'hello' },
  'an expectation': {
    bytes: post(`Expect: 100-continue\r\nContent-Length: ${LENGTH}\r\n`, SMUGGLED),
    body: SMUGGLED,
  },
  'fields that name others as of the connection': {
    bytes: post(`Connection: Content-Length, Host\r\nContent-Length: ${LENGTH}\r\n`, SMUGGLED),
    body: SMUGGLED,
  },
  'an upgrade that does not happen': {
    bytes: post(
      `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: ${LENGTH}\r\n`,
      SMUGGLED,
    ),
    body: SMUGGLED,
  },
  'absolute-form with another Host': {
    bytes: `POST http://a.example/post HTTP/1.1\r\nHost: b.example\r\nContent-Length: ${LENGTH}\r\n\r\n${SMUGGLED}`,
    body: SMUGGLED,
  },
  'HTTP/1.0 with a length': {
    bytes: post(`Content-Length: ${LENGTH}\r\nConnection: keep-alive\r\n`, SMUGGLED, 'POST /post HTTP/1.0'),
    body: SMUGGLED,
  },
}

for (const [what, { bytes, body }] of Object.entries(ONE)) {
  t.test(`one request to both: ${what}`, async (t) => {
    const { named, reached } = numberCase()
    const { replies } = await converse(t, named(bytes + NEXT), 500)
    const final = replies.filter(({ status }) => status >= 200)
    t.equal(final[0]?.status, 200)
    const [first, ...others] = reached()
    t.match(
      [first?.method, first?.target, first?.body, first?.complete],
      ['POST', named('/post'), named(body), true],
    )
    t.ok(others.every(({ target }) => target === named('/next')))
    t.ok(final.length - 1 <= 1 && others.length <= 1, 'what is behind it is answered once at most')
    t.strictSame(origin.garbage, [])
  })
}

t.test('a body that a GET brings reaches nobody', async (t) => {
  for (const fields of [`Content-Length: ${LENGTH}\r\n`, 'Transfer-Encoding: chunked\r\n']) {
    const body = fields.startsWith('C') ? SMUGGLED : `${chunk(SMUGGLED)}0\r\n\r\n`
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const { named, reached } = numberCase()
      const { replies } = await converse(t, named(post(fields, body, `${method} /post HTTP/1.1`)), 300)
      t.ok(replies.length <= 1, `${method} ${fields}`)
      for (const request of reached()) {
        t.equal(request.body, '')
        t.notMatch(request.fields.join('\n'), /transfer-encoding|content-length: [1-9]/i)
      }
    }
  }
  t.strictSame(origin.garbage, [])
})

/** RFC 9112 §9.6: who has said that a reply is the last takes nothing more. */
t.test('nothing behind a request or a reply that closes is handled', async (t) => {
  const closing: Record<string, string> = {
    'a plain GET': `GET /last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`,
    'HTTP/1.0': 'GET /last HTTP/1.0\r\nHost: a.example\r\n\r\n',
    'a POST': post('Connection: close\r\nContent-Length: 2\r\n', 'hi', 'POST /last HTTP/1.1'),
    'a method that is refused before its body is read': post(
      `Content-Length: 100000\r\n`,
      '',
      'DELETE /last HTTP/1.1',
    ),
    'a fault that node:http has let through': `POST mailto:a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n`,
  }
  for (const [what, bytes] of Object.entries(closing)) {
    const { replies, closed } = await converse(t, bytes + SMUGGLED + SMUGGLED, 3000)
    t.ok(closed, `${what}: the server closes`)
    t.ok(replies.length <= 1, `${what}: ${replies.map(({ status }) => status).join()}`)
  }
})

t.test('nothing was smuggled in all of the above', async (t) => {
  t.ok(origin.requests.length > 10)
  for (const request of origin.requests) {
    t.not(request.target, '/smuggled')
    t.match(request.fields.join('\n'), /Via\n1\.1 solo/i, 'each was made by the edge')
  }
  t.strictSame(
    edge.log().filter(({ path }) => path === '/smuggled'),
    [],
  )
})
